"""Features of the pipelines that must go on working: embeddings, callbacks, LoRA, clip_skip, SDXL's conditioning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SemguideWarning, steer
from semguide.adapters.pipelines.text_encoding import TextEncoder
from support.rule_cases import ACTIVE
from support.tiny.calls import CONCEPTS, PROMPT, STEPS, call, fresh, noise

RULE = ACTIVE[0]


def embeds_of(pipe: Any, prompt: Any) -> dict[str, torch.Tensor]:
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    found = pipe.encode_prompt(prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True)
    return {name: tensor.detach() for name, tensor in zip(names, found, strict=False)}


def test_prompt_embeds_with_named_concepts_are_steered_like_the_prompt(pipe: Any) -> None:
    embeds = embeds_of(pipe, PROMPT)
    steered = call(steer(pipe, RULE), None, concepts=CONCEPTS, **embeds)
    assert torch.equal(steered, call(steer(pipe, RULE), concepts=CONCEPTS))


def test_prompt_embeds_without_concepts_run_with_plain_guidance_and_say_so(pipe: Any) -> None:
    embeds = embeds_of(pipe, [PROMPT, "a cat"])
    with pytest.warns(SemguideWarning, match="prompt_embeds cannot be decomposed") as caught:
        steered = call(steer(pipe, RULE, batch_invariant=False), None, num_images_per_prompt=2, **embeds)
    assert sum(warning.category is SemguideWarning for warning in caught) == 1
    assert torch.equal(steered, call(pipe, None, guidance_scale=7.5, num_images_per_prompt=2, **embeds))


def test_negative_prompt_embeds_go_with_prompts(pipe: Any) -> None:
    negatives = {k: v for k, v in embeds_of(pipe, [PROMPT, "a cat"]).items() if k.startswith("negative")}
    if "XL" in type(pipe).__name__:
        pytest.skip("SDXL takes them with prompt embeddings only")
    pair = call(steer(pipe, RULE), [PROMPT, "a cat"], generator=[noise(0), noise(1)], **negatives)
    assert torch.equal(pair[0], call(steer(pipe, RULE), PROMPT, generator=[noise(0)])[0])


def test_callback_may_change_the_guidance_scale(sd: Any) -> None:
    scales: list[float] = []

    def change(pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        scales.append(pipe.guidance_scale)
        pipe._guidance_scale = 3.0 + step
        return tensors

    steered = call(steer(sd, CFG()), callback_on_step_end=change)
    assert scales == [7.5, 3.0, 4.0]
    assert torch.equal(steered, call(sd, guidance_scale=7.5, callback_on_step_end=change))
    assert not torch.equal(call(steer(sd, RULE), callback_on_step_end=change), call(steer(sd, RULE)))


def test_callback_may_change_the_embeddings_of_a_batch(pipe: Any) -> None:
    def halve(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"prompt_embeds": tensors["prompt_embeds"] * (0.5 if step == 0 else 1.0)}

    given: dict[str, Any] = {"callback_on_step_end": halve, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]}
    both = call(steer(pipe, RULE), ["a cat", PROMPT], generator=[noise(0), noise(1)], **given)
    alone = call(steer(pipe, RULE), PROMPT, generator=[noise(1)], **given)
    torch.testing.assert_close(both[1], alone[0], rtol=1e-3, atol=1e-4)
    assert not torch.allclose(alone, call(steer(pipe, RULE), PROMPT, generator=[noise(1)]), atol=1e-3)


def test_guidance_cut_off_by_a_callback_ends_the_steering(pipe: Any) -> None:
    from diffusers.callbacks import SDCFGCutoffCallback, SDXLCFGCutoffCallback

    kind = SDXLCFGCutoffCallback if "XL" in type(pipe).__name__ else SDCFGCutoffCallback
    cut = kind(cutoff_step_ratio=None, cutoff_step_index=1)  # type: ignore[arg-type]
    result = steer(pipe, RULE)(PROMPT, num_inference_steps=4, output_type="latent", callback_on_step_end=cut)
    assert result.evaluations == [4 + 4 + 1 + 1]
    assert result.images.isfinite().all()


def test_observer_is_told_of_every_correction(pipe: Any) -> None:
    seen: list[tuple[int, int]] = []
    steer(pipe, RULE)(
        ["a cat", PROMPT],
        num_inference_steps=2,
        output_type="latent",
        observer=lambda image, step, correction: seen.append((image, step)),
    )
    assert seen == [(1, 0), (1, 1)]  # SGT leaves a lone concept alone


def test_tuples_are_returned_where_asked_for(pipe: Any) -> None:
    given: dict[str, Any] = {"num_inference_steps": 1, "generator": noise(), "output_type": "latent"}
    result = steer(pipe, RULE)(PROMPT, return_dict=False, **given)
    assert isinstance(result.output, tuple)
    assert result.images is result.output[0]


def test_pictures_are_returned_by_default(pipe: Any) -> None:
    from PIL.Image import Image

    images = steer(pipe, RULE)([PROMPT, "a cat"], num_inference_steps=1).images
    assert [type(image) for image in images] == [Image, Image]


def test_concepts_are_encoded_once_and_like_prompts(pipe: Any) -> None:
    texts: list[str] = []
    encode = pipe.encode_prompt

    def counted(prompt: str, **options: Any) -> Any:
        texts.append(prompt)
        return encode(prompt=prompt, **options)

    pipe.encode_prompt = counted
    spec = steer(pipe, RULE)._spec
    options: dict[str, Any] = {"clip_skip": 1} if "XL" in type(pipe).__name__ else {}
    encoder = TextEncoder(pipe, spec.text, options)
    rows = encoder.concepts(["a cat", "a dog", "a cat"])
    encoder.concepts(["a dog"])
    assert texts == ["a cat", "a dog"]
    expected = encode("a cat", device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False, **options)
    assert torch.equal(rows[2]["encoder_hidden_states"], expected[0])
    assert "XL" not in type(pipe).__name__ or torch.equal(rows[0]["text_embeds"], expected[2])


def test_clip_skip_reaches_the_concepts(sdxl: Any) -> None:  # diffusers 0.42's own clip_skip of SD needs transformers 4
    given: dict[str, Any] = {"clip_skip": 1, "num_inference_steps": 1, "output_type": "latent", "full_trace": True}
    trace = steer(sdxl, RULE)("a red book", **given).trace
    assert trace.similarity[0].item() == pytest.approx(1.0, abs=1e-5)  # only if prompt and concept are encoded alike


def test_lora_with_a_scale_is_steered(loaded_sd: Any) -> None:
    from peft import LoraConfig

    pipe = fresh(loaded_sd, deep=True)
    without = call(steer(pipe, RULE))
    pipe.unet.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    pipe.text_encoder.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["q_proj", "v_proj"]))
    results = [call(steer(pipe, RULE), cross_attention_kwargs={"scale": scale}) for scale in (0.0, 0.5, 1.0)]
    torch.testing.assert_close(results[0], without)
    assert not torch.allclose(results[1], results[2], atol=1e-3)
    plain = call(pipe, guidance_scale=7.5, cross_attention_kwargs={"scale": 0.5})
    assert torch.equal(call(steer(pipe, CFG()), cross_attention_kwargs={"scale": 0.5}), plain)
    given: dict[str, Any] = {"num_inference_steps": 1, "output_type": "latent", "full_trace": True}
    same = steer(pipe, RULE)("a red book", cross_attention_kwargs={"scale": 0.5}, **given)
    assert same.trace.similarity[0].item() == pytest.approx(1.0, abs=1e-5)


def test_sdxl_options_reach_the_denoiser(sdxl: Any) -> None:
    options: dict[str, Any] = {
        "prompt_2": "in the rain",
        "negative_prompt": "blurry",
        "negative_prompt_2": "dark",
        "original_size": (128, 32),
        "crops_coords_top_left": (3, 5),
        "target_size": (32, 128),
        "denoising_end": 0.6,
    }
    plain = call(sdxl, guidance_scale=7.5, **options)
    assert torch.equal(call(steer(sdxl, CFG()), **options), plain)
    steered = call(steer(sdxl, RULE), **options)
    assert steered.isfinite().all()
    assert not torch.allclose(steered, plain, atol=1e-3)
    assert sdxl.num_timesteps < STEPS


def test_subclasses_of_a_pipeline_are_steered(loaded_sd: Any) -> None:
    from diffusers import StableDiffusionPipeline

    class Mine(StableDiffusionPipeline):
        pass

    mine = Mine(**loaded_sd.components, requires_safety_checker=False)
    mine.set_progress_bar_config(disable=True)
    assert torch.equal(call(steer(mine, RULE)), call(steer(loaded_sd, RULE)))
