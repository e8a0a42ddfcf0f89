"""The Forge script, with a stand-in for what it uses of Forge, written from its behaviour."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import pytest
import torch

from semguide import SGT, NotFinite, SemguideWarning
from semguide.adapters.hosts.forge import EXTENSION
from support.comfyui import standin
from support.comfyui.standin import conditioning

PROMPT, STEPS = "a red book and a yellow vase", 8


class Unet:
    """What Forge's UNet patcher is."""

    def __init__(self, model: Any, options: dict[str, list[Any]] | None = None) -> None:
        self.model = model
        self.model_options = options or {"conditioning_modifiers": [], "sampler_post_cfg_function": []}

    def clone(self) -> Unet:
        return Unet(self.model, {name: list(functions) for name, functions in self.model_options.items()})

    def add_conditioning_modifier(self, modifier: Any) -> None:
        self.model_options["conditioning_modifiers"].append(modifier)

    def set_model_sampler_post_cfg_function(self, function: Any) -> None:
        self.model_options["sampler_post_cfg_function"].append(function)


def compiled(embedding: torch.Tensor) -> Any:
    return [{"cross_attn": embedding, "model_conds": {"c_crossattn": embedding}}]


def batch(model: Any, cond: Any, uncond: Any, x: Any, sigma: Any, options: Any) -> Any:
    """Return the images of cond and uncond, each the mean of its entries; zeros where there is no uncond."""
    del options
    model.calls.append((float(sigma[0]), len(cond)))
    both = [[entry["model_conds"]["c_crossattn"] for entry in side or []] for side in (cond, uncond)]
    images = [[model.denoised(x, sigma[0], embedding) for embedding in side] for side in both]
    return tuple(torch.stack(side).mean(dim=0) if side else torch.zeros_like(x) for side in images)


def call(unet: Unet, x: Any, sigma: Any, scale: float) -> torch.Tensor:
    """Return the guided image of one call of the sampler."""
    cond, uncond = compiled(conditioning(PROMPT)[0][0]), compiled(conditioning("")[0][0])
    told = (unet.model, x, sigma, uncond, cond, scale, unet.model_options, 0)
    for modifier in unet.model_options["conditioning_modifiers"]:
        told = modifier(*told)
    image, other = batch(unet.model, cond, None if scale == 1 else uncond, x, sigma, unet.model_options)
    denoised = other + (image - other) * scale
    images = {"denoised": denoised, "cond_denoised": image, "uncond_denoised": other, "cond": cond, "uncond": uncond}
    for function in unet.model_options["sampler_post_cfg_function"]:
        rest = {"model": unet.model, "sigma": sigma, "model_options": unet.model_options, "input": x}
        denoised = function({**images, **rest, "denoised": denoised})
    return denoised


def sample(unet: Unet, scale: Any = lambda _: 7.5) -> torch.Tensor:
    sigmas = standin.schedule(STEPS)
    return standin.euler(lambda x, s: call(unet, x, s, scale(float(s[0]))), standin.noise(2) * sigmas[0], sigmas)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the script, loaded as Forge loads it."""
    contents: dict[str, dict[str, Any]] = {
        "gradio": {},
        "backend": {},
        "backend.sampling": {},
        "backend.sampling.condition": {"compile_conditions": compiled},
        "backend.sampling.sampling_function": {"calc_cond_uncond_batch": batch},
        "modules": {},
        "modules.scripts": {"Script": object, "AlwaysVisible": "always"},
        "modules.prompt_parser": {"SdConditioning": lambda prompts, **_: prompts},
        "modules.sd_samplers_common": {"setup_img2img_steps": lambda p, steps: (steps or p.steps, 3)},
        "modules.ui_components": {"InputAccordion": None},
    }
    for name, members in contents.items():
        module = types.ModuleType(name)
        vars(module).update(members, __path__=[])
        monkeypatch.setitem(sys.modules, name, module)
    vars(sys.modules["modules"])["scripts"] = sys.modules["modules.scripts"]
    spec = importlib.util.spec_from_file_location("semguide_forge", EXTENSION / "scripts" / "semguide_forge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SemanticGuidanceForForge()


def job(**changed: Any) -> Any:
    """Return what Forge knows of a job, before its sampling."""
    model = standin.Model()
    model.predictor = model.model_sampling  # type: ignore[attr-defined]
    engine = types.SimpleNamespace(
        forge_objects=types.SimpleNamespace(unet=Unet(model)),
        get_learned_conditioning=lambda texts: conditioning(texts[0])[0][0],
    )
    sampler = types.SimpleNamespace(get_sigmas=lambda _, steps: standin.schedule(steps))
    values: dict[str, Any] = {"sd_model": engine, "sampler": sampler, "prompts": [PROMPT, PROMPT], "cfg_scale": 7.5}
    values |= {"width": 512, "height": 512, "distilled_cfg_scale": 3.5, "steps": STEPS, "sampler_name": "Euler"}
    p = types.SimpleNamespace(extra_generation_params={}, comments=[], **{**values, **changed})
    p.comment = p.comments.append
    return p


def run(script: Any, p: Any, *inputs: Any, most: int = 8) -> Unet:
    script.process_before_every_sampling(p, *(inputs or (True, "sgt", 1.0, "", "")), most, x=None, noise=None)
    return p.sd_model.forge_objects.unet


def test_the_image_is_that_of_the_guider_for_comfyui(script: Any, samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    del samplers
    guider = SemanticGuider(standin.Patcher(), SGT())
    guider.set_conds(
        conditioning(PROMPT), conditioning(""), [conditioning("a red book"), conditioning("a yellow vase")]
    )
    noise = standin.noise(2)
    expected = guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule(STEPS))
    torch.testing.assert_close(sample(run(script, job())), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "inputs", [(False, "sgt", 1.0, "", ""), (True, "sgt", 0.0, "", ""), (True, "cfg", 1.0, "", "")]
)
def test_switched_off_it_leaves_the_unet_alone(script: Any, inputs: Any) -> None:
    p = job()
    before = p.sd_model.forge_objects.unet
    assert run(script, p, *inputs) is before


def test_a_prompt_without_concepts_leaves_the_unet_alone(script: Any) -> None:
    p = job(prompts=["beautifully"])
    before = p.sd_model.forge_objects.unet
    with pytest.warns(SemguideWarning, match="no concepts found in this prompt"):
        assert run(script, p) is before


def test_no_more_concepts_are_steered_than_the_slider_says(script: Any) -> None:
    p = job()
    with pytest.warns(SemguideWarning, match=r"1 of 2 concepts .* without 'a yellow vase' \(more than 1\)"):
        run(script, p, most=1)
    assert p.extra_generation_params["Semantic Guidance"] == "sgt, strength 1.0: a red book"


def test_the_unet_of_other_samplings_is_left_alone(script: Any) -> None:
    p = job()
    before = p.sd_model.forge_objects.unet
    assert run(script, p) is not before
    assert before.model_options["sampler_post_cfg_function"] == []
    assert p.extra_generation_params["Semantic Guidance"] == "sgt, strength 1.0: a red book; a yellow vase"


def test_concepts_are_evaluated_in_the_window_only(script: Any) -> None:
    unet = run(script, job(), True, "sgt", 1.0, "a book\na vase", '{"stop": 0.25}')
    sample(unet)
    assert len(unet.model.calls) == STEPS + 2 * 2


def test_without_guidance_the_mean_of_the_concepts_stands_for_the_negative_prompt(script: Any) -> None:
    unet = run(script, job(cfg_scale=1.0))
    plain = job().sd_model.forge_objects.unet
    assert not torch.equal(sample(unet, lambda sigma: 1.0), sample(plain, lambda sigma: 1.0))


def test_steps_of_a_guided_sampling_that_forge_leaves_unguided_stay_its_own(script: Any) -> None:
    unet, plain = run(script, job()), job().sd_model.forge_objects.unet
    assert torch.equal(sample(unet, lambda sigma: 1.0), sample(plain, lambda sigma: 1.0))


def test_a_call_without_an_unconditional_prediction_is_left_alone_by_a_rule_that_needs_it(script: Any) -> None:
    unet = run(script, job(), True, "sgt-v1", 1.0, "a book\na vase", "")
    late = standin.schedule(STEPS)[2]
    assert torch.equal(sample(unet, lambda sigma: 1.0), sample(job().sd_model.forge_objects.unet, lambda sigma: 1.0))
    assert not torch.equal(
        sample(unet, lambda sigma: 1.0 if sigma > late else 7.5),
        sample(job().sd_model.forge_objects.unet, lambda sigma: 1.0 if sigma > late else 7.5),
    )


def test_the_steps_of_an_image_to_image_run_are_those_that_it_takes(script: Any) -> None:
    unet = run(script, job(init_images=[None]), True, "sgt", 1.0, "a book\na vase", '{"stop": 0.5}')
    sample(unet)  # of 8 steps the last 4 are in the schedule; the sigmas before them belong to its first step
    assert len(unet.model.calls) == STEPS + (4 + 2) * 2


def test_the_second_pass_has_its_own_prompt_scale_and_steps(script: Any) -> None:
    second = {"hr_prompts": ["a cat and a dog"], "hr_cfg": 5.0, "hr_second_pass_steps": 6, "hr_distilled_cfg": 3.0}
    p = job(is_hr_pass=True, hr_upscale_to_x=1024, hr_upscale_to_y=1024, **second)
    unet = run(script, p, True, "sgt", 1.0, "", '{"stop": 0.5}')
    assert p.extra_generation_params["Semantic Guidance"] == "sgt, strength 1.0: a cat; a dog"
    sample(unet)
    assert len(unet.model.calls) > STEPS


def test_a_batch_of_different_prompts_is_refused_and_the_picture_says_that_it_is_plain(script: Any) -> None:
    p = job(prompts=["a cat", "a dog"])
    before = p.sd_model.forge_objects.unet
    with pytest.raises(ValueError, match="prompts of a batch must be the same"):
        run(script, p)
    assert p.sd_model.forge_objects.unet is before, "Forge draws on"
    assert p.comments[0].startswith(
        "Semantic Guidance did not run, and this is plain guidance: prompts of a batch must"
    )
    assert p.extra_generation_params == {"Semantic Guidance": "did not run"}


def test_a_sampler_without_sigmas_is_refused(script: Any) -> None:
    with pytest.raises(ValueError, match="sampler DDIM CFG has no sigmas"):
        run(script, job(sampler=object(), sampler_name="DDIM CFG"))


def test_a_prediction_that_is_not_finite_stops_the_sampling(script: Any) -> None:
    unet = run(script, job(), True, "sgt", 1.0, "a book\na vase", '{"stop": 0.5}')
    late = standin.schedule(STEPS)[6]
    with pytest.raises(NotFinite, match="the model at step 7 made NaN or infinity"):
        sample(unet, lambda sigma: 7.5 if sigma > late else float("nan"))


def test_a_rule_that_corrected_nothing_says_so_under_the_images(script: Any) -> None:
    never = '{"subject_threshold": 0.0, "abstract_threshold": 0.0, "upper_bound": 1.0}'
    for settings, told in ((never, ["sgt-v1 corrected nothing"]), ("", [])):
        p = job()
        sample(run(script, p, True, "sgt-v1", 1.0, "", settings))
        script.post_sample(p, object())
        script.post_sample(p, object())
        assert [comment.removeprefix("Semantic Guidance: ")[:24] for comment in p.comments] == told
