"""How the rule gets into the denoiser calls of pipelines other than Stable Diffusion."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SGT, GuidanceNotApplied, SGTv1, SGTv2, UnsupportedPipeline, steer
from semguide.adapters.pipelines.families.registry import ARCHITECTURES
from semguide.adapters.pipelines.families.spec import Scale
from semguide.adapters.pipelines.guidance_scale import scale_arguments, scale_at
from support.families.run import ROWS, arguments_of, made
from support.families.table import FAMILIES
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT

RULE = SGT(stop=1.0)
W = 3.0


def call(pipe: Any, name: str, prompt: Any = PROMPT, **changes: Any) -> torch.Tensor:
    """Return the latents of a short run without the scale that the tests of the zoo give."""
    given = arguments_of(FAMILIES[name])
    for taken in (FAMILIES[name].scale, "negative_prompt"):
        given.pop(taken, None)
    result = pipe(prompt=prompt, **{**given, **changes})
    return getattr(result, "output", result)[0]


@pytest.fixture
def distilled() -> Any:
    """Return a Flux whose transformer predicts what classifier-free guidance makes of the real one's predictions."""
    pipe = FAMILIES["flux"].make()
    teacher = pipe.transformer.forward
    embeds, pooled, _ = pipe.encode_prompt("", max_sequence_length=48)

    def student(**kwargs: Any) -> Any:
        scale = kwargs.pop("guidance").view(-1, 1, 1)
        count = len(scale)
        empty = {"encoder_hidden_states": embeds.expand(count, -1, -1), "pooled_projections": pooled.expand(count, -1)}
        uncond, cond = teacher(**{**kwargs, **empty, "guidance": None})[0], teacher(**kwargs, guidance=None)[0]
        return (uncond + scale * (cond - uncond),)

    pipe.transformer.forward = student
    pipe.transformer.register_to_config(guidance_embeds=True)
    return pipe


def test_denoiser_with_embedded_guidance_is_steered_as_the_one_it_was_distilled_from(distilled: Any) -> None:
    tuned = call(steer(distilled, RULE), "flux", concepts=CONCEPTS, guidance_scale=W)
    teacher = call(steer(made("flux"), RULE), "flux", concepts=CONCEPTS, true_cfg_scale=W)
    plain = call(made("flux"), "flux", true_cfg_scale=W, negative_prompt="")
    assert (teacher - plain).abs().max() > 1e-2
    torch.testing.assert_close(tuned, teacher, rtol=1e-3, atol=1e-4)


def test_embedded_guidance_with_a_rule_that_does_nothing_is_the_pipelines_own_to_the_bit(distilled: Any) -> None:
    plain = call(distilled, "flux", guidance_scale=W)
    off = SGTv2(concept_guidance_scale=0.0, warmup_steps=0, subject_threshold=1.0)
    for rule in (CFG(), off):
        given = {**arguments_of(FAMILIES["flux"]), "guidance_scale": W, "concepts": CONCEPTS, "full_trace": True}
        given = {key: value for key, value in given.items() if key not in ("true_cfg_scale", "negative_prompt")}
        result = steer(distilled, rule)(PROMPT, **given)
        assert torch.equal(result.images, plain)
        assert result.evaluations == [(1 + 1 + 2) * 3]


def test_pipeline_that_guides_only_by_embedding_is_refused_without_it() -> None:
    pipe = ROWS["flux-embedded-fill"].make()
    pipe.transformer.register_to_config(guidance_embeds=False)
    with pytest.raises(UnsupportedPipeline, match="a FluxFillPipeline does not guide otherwise"):
        steer(pipe)


def test_embedded_guidance_gives_way_to_true_guidance_where_asked(distilled: Any) -> None:
    given: dict[str, Any] = {"true_cfg_scale": 2.0, "guidance_scale": W}
    plain = call(distilled, "flux", negative_prompt="", **given)
    assert torch.equal(call(steer(distilled, CFG()), "flux", **given), plain)


def test_pipeline_that_guides_only_with_a_negative_prompt_gets_the_empty_one() -> None:
    plain = call(made("flux"), "flux", [PROMPT, "a cat"], true_cfg_scale=7.5, negative_prompt=["", ""])
    steered = call(steer(made("flux"), CFG()), "flux", [PROMPT, "a cat"], true_cfg_scale=7.5)
    assert torch.equal(steered, plain)
    plain = call(made("qwen-image"), "qwen-image", true_cfg_scale=7.5, negative_prompt=" ")
    assert torch.equal(call(steer(made("qwen-image"), CFG()), "qwen-image"), plain)


def test_guidance_that_the_pipeline_alone_would_not_do_must_be_asked_for() -> None:
    with refuses("true_cfg_scale", "must be given, > 1"):
        call(steer(made("flux"), SGTv1()), "flux", guidance_scale=0.0)


def test_lists_of_the_caller_stay_as_they_are() -> None:
    prompts = ["a cat", "a dog"]
    call(steer(made("z-image"), CFG()), "z-image", prompts)  # the pipeline writes its chat template into the list
    assert prompts == ["a cat", "a dog"]


def test_scale_of_a_pipeline_that_adds_to_the_prompt_is_one_less() -> None:
    plain = call(made("z-image"), "z-image", guidance_scale=4.0)
    assert torch.equal(call(steer(made("z-image"), CFG(guidance_scale=5.0)), "z-image"), plain)
    with refuses("guidance_scale", "must be > 0"):
        call(steer(made("z-image"), SGTv1()), "z-image", guidance_scale=0.0)


@pytest.mark.parametrize("name", ["flux", "wan"])
def test_unconditional_prediction_asked_for_first_is_an_error(name: str) -> None:
    pipe = FAMILIES[name].make()
    encode, encoded = pipe.encode_prompt, []

    def kept(*args: Any, **kwargs: Any) -> Any:
        encoded.append(encode(*args, **kwargs))
        return encoded[-1]

    def swap(_module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        first, second = (encoded[-2][0], encoded[-1][0]) if name == "flux" else encoded[-1]
        other = second if kwargs["encoder_hidden_states"] is first else first
        return args, {**kwargs, "encoder_hidden_states": other}

    pipe.encode_prompt = kept
    pipe.transformer.register_forward_pre_hook(swap, with_kwargs=True)
    scale = {FAMILIES[name].scale: W}
    with pytest.raises(GuidanceNotApplied, match="asked for the unconditional prediction before the prompt's"):
        call(steer(pipe, RULE), name, concepts=CONCEPTS, **scale)


def test_calls_with_other_numbers_of_rows_are_an_error() -> None:
    pipe = FAMILIES["flux"].make()
    prepare = pipe.prepare_latents
    pipe.prepare_latents = lambda *args: tuple(
        torch.cat([part] * 2) if part.ndim == 3 else part for part in prepare(*args)
    )
    with pytest.raises(GuidanceNotApplied, match="got 2 rows for 1 images at step 1; only calls with 1 rows per image"):
        call(steer(pipe, RULE), "flux", concepts=CONCEPTS, true_cfg_scale=W)


def test_skip_layer_guidance_is_added_to_the_steered_prediction() -> None:
    given: dict[str, Any] = {
        "guidance_scale": W,
        "skip_guidance_layers": [0],
        "skip_layer_guidance_start": 0.0,
        "skip_layer_guidance_stop": 1.0,
    }
    plain = call(made("sd3"), "sd3", **given)
    assert torch.equal(call(steer(made("sd3"), CFG()), "sd3", **given), plain)
    result = steer(made("sd3"), RULE)(PROMPT, concepts=CONCEPTS, **{**arguments_of(FAMILIES["sd3"]), **given})
    assert result.evaluations == [3 * 4 + 2]  # no skipping at the first step
    assert not torch.allclose(result.images, plain, atol=1e-3)


def test_guiders_that_change_the_correction_are_refused_and_left_alone() -> None:
    from diffusers import AdaptiveProjectedMixGuidance, ClassifierFreeGuidance

    pipe = FAMILIES["hunyuan-image"].make()
    pipe.guider = AdaptiveProjectedMixGuidance()
    with pytest.raises(UnsupportedPipeline, match=r"pipe.guider and pipe.ocr_guider must be ClassifierFreeGuidance"):
        call(steer(pipe, RULE), "hunyuan-image")
    pipe.guider, pipe.ocr_guider = ClassifierFreeGuidance(4.0), ClassifierFreeGuidance(4.0)
    plain = call(pipe, "hunyuan-image")
    assert torch.equal(call(steer(pipe, CFG()), "hunyuan-image", guidance_scale=4.0), plain)
    assert not torch.allclose(call(steer(pipe, RULE), "hunyuan-image", concepts=CONCEPTS), plain, atol=1e-3)
    assert pipe.guider.guidance_scale == 4.0


def test_caches_are_refused() -> None:
    from diffusers import FirstBlockCacheConfig

    pipe = FAMILIES["flux"].make()
    pipe.transformer.enable_cache(FirstBlockCacheConfig())
    with pytest.raises(UnsupportedPipeline, match=r"call pipe.transformer.disable_cache"):
        call(steer(pipe, RULE), "flux", true_cfg_scale=W)


def test_sdxl_refiner_is_refused(loaded_sdxl: Any) -> None:
    from diffusers import StableDiffusionXLImg2ImgPipeline

    refiner = StableDiffusionXLImg2ImgPipeline(**loaded_sdxl.components, requires_aesthetics_score=True)
    with pytest.raises(UnsupportedPipeline, match=r"pipe is the SDXL refiner, .* steer the base pipeline"):
        steer(refiner)


def test_second_scale_belongs_to_the_second_denoiser() -> None:
    scale = Scale(arguments=("guidance_scale", "guidance_scale_2"))
    both = scale_arguments(scale, {"guidance_scale": 4.0, "guidance_scale_2": 3.0}, 7.5)
    assert [scale_at(scale, None, both, i) for i in (0, 1)] == [4.0, 3.0]
    one = scale_arguments(scale, {}, 7.5)
    assert one == {"guidance_scale": 7.5}
    assert [scale_at(scale, None, one, i) for i in (0, 1)] == [7.5, 7.5]
    with refuses("guidance_scale_2", "must be > 1"):
        scale_arguments(scale, {"guidance_scale_2": 1.0}, 7.5)


def test_scale_that_moves_between_denoiser_and_guidance_is_refused() -> None:
    scale = ARCHITECTURES["CogVideoXPipeline"].scale
    with refuses("use_dynamic_cfg", "must be off"):
        scale_arguments(scale, {"use_dynamic_cfg": True}, 7.5)
    assert scale_arguments(scale, {"use_dynamic_cfg": False}, 7.5) == {"guidance_scale": 7.5}


def test_scale_that_turns_kandinsky_3_off_is_refused_though_w_is_two_there() -> None:
    scale = ARCHITECTURES["Kandinsky3Pipeline"].scale
    assert scale_arguments(scale, {}, 7.5) == {"guidance_scale": 6.5}
    with refuses("guidance_scale", "must be > 1"):
        scale_arguments(scale, {"guidance_scale": 1.0}, 7.5)


def test_image_to_image_has_the_eps_scales_of_its_own_steps(loaded_sd: Any) -> None:
    from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline

    from semguide.adapters.eps_scale import eps_scales
    from semguide.adapters.pipelines.session import StepCounter
    from support.tiny.stable_diffusion import quiet

    scheduler = DDIMScheduler(prediction_type="v_prediction", steps_offset=1, clip_sample=False)
    pipe = quiet(
        StableDiffusionImg2ImgPipeline(
            **{**loaded_sd.components, "scheduler": scheduler}, requires_safety_checker=False
        )
    )
    scheduler.set_timesteps(8)
    steps = StepCounter(pipe)
    steps.take_timesteps(pipe.get_timesteps(8, 0.5, "cpu"))
    pipe._num_timesteps = 4
    indices = [steps.begin_step() for _ in range(4)]
    cpu = torch.device("cpu")
    assert [steps.eps_scale(index, cpu) for index in indices] == list(eps_scales(scheduler, 8, cpu))[4:]
