from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from diffusers import KolorsPipeline, PixArtAlphaPipeline

from semguide.models import TEXT_TO_IMAGE, TEXT_TO_VIDEO, load
from semguide.runs.generation import accepted_hooks, call_arguments, finish_partial_run, generate_images
from semguide.runs.request import Request, find_model, plan_run
from support.tiny.pipelines import COMPONENTS, tiny

PROMPT = "a red book and a yellow vase"
TOO_TINY = {
    "AuraFlowPipeline",  # sixteen places in all
    "HiDreamImagePipeline",  # a text of 77 tokens, no 128
    "Kandinsky3Pipeline", "Lumina2Pipeline",  # an autoencoder that halves where the pipeline divides by eight
    "NucleusMoEImagePipeline",  # saved without its processor
    "PixArtAlphaPipeline", "PixArtSigmaPipeline", "SanaPipeline",  # sizes from 256 up only
    "StableDiffusion3Pipeline",  # eight places a side
}  # fmt: skip
"""Families whose tiny model takes no size or text of a run, or is not saved whole, and why."""
WITHOUT_CALLBACK = {"KolorsPipeline", "LongCatImagePipeline"}
"""Families whose pipeline calls nobody after a step."""
FRAMES = {"CogVideoXPipeline": 8, "MochiPipeline": 7}
"""Numbers of frames of the models that make no 5."""
FAMILIES = sorted((set(TEXT_TO_IMAGE) & set(COMPONENTS)) - TOO_TINY)
VIDEO_FAMILIES = sorted((set(TEXT_TO_VIDEO) & set(COMPONENTS)) - {"AllegroPipeline"})
TYPICAL = {"StableDiffusionPipeline", "FluxPipeline", "WanPipeline", "CogVideoXPipeline", *WITHOUT_CALLBACK}
"""Families that the fast tests run: one of each mechanism, and those with ways of their own."""


def families(names: list[str]) -> pytest.MarkDecorator:
    """Run a test for each family, for all but the typical ones as a slow test."""
    marks = {name: [] if name in TYPICAL else [pytest.mark.slow] for name in names}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=marks[name]) for name in names])


@families(FAMILIES)
def test_every_family_makes_the_picture_of_a_run(name: str, tmp_path: Path):
    tiny(name).save_pretrained(tmp_path / "model")
    folder = str(tmp_path / "model")
    side = 4 * find_model(folder).size_multiple
    planned = plan_run(
        Request(PROMPT, model=folder, num_images=1, num_inference_steps=2, guidance_scale=4.0, height=side, width=side)
    )
    pipe = load(str(planned.model.path), "cpu")
    pipe.set_progress_bar_config(disable=True)
    steps: list[int] = []
    (image,) = generate_images(planned.run, planned.rules, pipe, on_step=lambda *told: steps.append(told[-1]))
    assert len(steps) == (0 if name in WITHOUT_CALLBACK else 2)
    assert image.frames[0].size == (planned.run.sampling.width, planned.run.sampling.height)
    assert image.evaluations > 2


@families(VIDEO_FAMILIES)
def test_every_family_of_videos_makes_the_frames_of_a_run(name: str, tmp_path: Path):
    tiny(name).save_pretrained(tmp_path / "model")
    folder = str(tmp_path / "model")
    side = 4 * find_model(folder).size_multiple
    given: dict[str, Any] = {"num_images": 1, "num_inference_steps": 2, "height": side, "width": side}
    planned = plan_run(Request(PROMPT, model=folder, guidance_scale=4.0, num_frames=FRAMES.get(name, 5), **given))
    pipe = load(str(planned.model.path), "cpu")
    pipe.set_progress_bar_config(disable=True)
    (video,) = generate_images(planned.run, planned.rules, pipe)
    assert [frame.size for frame in video.frames] == [(side, side)] * FRAMES.get(name, 5)
    assert video.evaluations > 2


def test_a_callback_of_the_older_form_tells_the_steps_too():
    told: list[Any] = []

    def step_end(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        told.append((type(pipe).__name__, step, timestep, tensors["latents"]))
        return tensors

    pipe = object.__new__(PixArtAlphaPipeline)
    hooks = accepted_hooks(pipe, {"callback_on_step_end": step_end, "observer": 1})
    assert set(hooks) == {"callback", "observer"}
    hooks["callback"](1, 500, "latents")
    assert told == [("PixArtAlphaPipeline", 1, 500, "latents")]
    assert accepted_hooks(object.__new__(KolorsPipeline), {"callback_on_step_end": step_end}) == {}


def test_the_rest_of_a_started_image_is_told_in_the_form_that_the_pipeline_takes(tiny_model: Path):
    planned = plan_run(Request(PROMPT, model=str(tiny_model), num_images=1, num_inference_steps=2))
    (method,), (rule,) = planned.run.methods, planned.rules.values()
    (whole,) = generate_images(planned.run, planned.rules, load(str(tiny_model), "cpu"))
    given: list[str] = []

    def finish(**hooks: Any) -> Any:
        given.extend(hooks)
        trace = SimpleNamespace(to_dict=lambda: {"images": [whole.trace]})
        return SimpleNamespace(
            images=[whole.image], evaluations=[1], alignment=None, alignment_score=[None], trace=trace, idle=None
        )

    steered = SimpleNamespace(pipe=object.__new__(PixArtAlphaPipeline), rule=rule)
    start: Any = SimpleNamespace(seed=3, seconds=0.0, steered=steered, finish=finish)
    assert finish_partial_run(planned.run, method, start).seed == 3
    assert given == ["callback"]


def test_a_run_without_a_negative_prompt_leaves_it_to_the_pipeline(tiny_model: Path):
    request = Request(PROMPT, model=str(tiny_model), num_images=1, num_inference_steps=2)
    for negative, given in (("", False), ("blurry", True)):
        run = plan_run(replace(request, negative_prompt=negative)).run
        assert ("negative_prompt" in call_arguments(run, load(str(tiny_model), "cpu"))) is given


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    tiny("StableDiffusionPipeline").save_pretrained(tmp_path / "sd")
    return tmp_path / "sd"
