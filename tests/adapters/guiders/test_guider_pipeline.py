"""Ordinary pipelines whose guidance is a guider: HunyuanImage and Motif-Video."""

from __future__ import annotations

import copy
import functools
import warnings
from typing import Any

import pytest
import torch
from diffusers import ClassifierFreeGuidance

from adapters.guiders.test_every_pipeline import EAGER
from semguide import SGT, InvalidArgument, SemguideWarning, with_semantic_guidance
from semguide.guidance import Predictions, Step
from support.families.run import run
from support.families.table import FAMILIES, Family
from support.guiders.run import SCALE, Record, recorded_guider
from support.tiny.calls import CONCEPTS, PROMPT
from support.tiny.inputs import picture

_VIDEO = {"height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 48}
GUIDED = {
    "HunyuanImagePipeline": FAMILIES["hunyuan-image"],
    "MotifVideoPipeline": Family("MotifVideoPipeline", _VIDEO, scale="", output="frames"),
    "MotifVideoImage2VideoPipeline": Family(
        "MotifVideoImage2VideoPipeline", {**_VIDEO, "image": picture(16)}, scale="", output="frames"
    ),
}
NAMES = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if "Video" in name else []) for name in GUIDED]
)


@functools.cache
def made(name: str) -> Any:
    return with_guider(GUIDED[name].make(), ClassifierFreeGuidance(guidance_scale=SCALE))


def prompts_of(name: str) -> list[str]:
    """Return two prompts, or one where the pipeline reads one image."""
    return [PROMPT] if "Image2Video" in name else [PROMPT, "a cat"]


@NAMES
def test_concept_scale_zero_is_diffusers_own_guidance_to_the_bit(name: str) -> None:
    tuned = with_semantic_guidance(made(name), SGT(guidance_scale=SCALE, strength=0))
    plain = run(made(name), GUIDED[name], prompts_of(name))
    assert torch.equal(run(tuned, GUIDED[name], prompts_of(name)), plain)


def test_no_more_concepts_are_steered_than_it_or_the_call_says() -> None:
    tuned = with_semantic_guidance(made("HunyuanImagePipeline"), EAGER, max_concepts=2)
    for given, kept in (({}, 2), ({"max_concepts": 3}, 3)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SemguideWarning)
            run(tuned, GUIDED["HunyuanImagePipeline"], [f"{PROMPT} and a cat"], **given)
        assert tuned.guider.trace.concepts == ((*CONCEPTS, "a cat")[:kept],)


@NAMES
def test_pipeline_is_left_as_it_was_and_calls_depend_on_nothing_before(name: str) -> None:
    pipe, family, prompts = made(name), GUIDED[name], prompts_of(name)
    own, tuned = pipe.guider, with_semantic_guidance(pipe, EAGER)
    first = run(tuned, family, prompts)
    assert pipe.guider is own
    assert tuned.guider.trace.concepts == (tuple(CONCEPTS), ("a cat",))[: len(prompts)]
    assert not torch.equal(run(tuned, family, prompts, concepts=["a hat"]), first)
    assert torch.equal(run(tuned, family, prompts), first)
    with pytest.raises(TypeError):
        run(tuned, family, PROMPT, no_such_argument=1)
    assert pipe.guider is own


def test_concepts_are_taken_encoded_where_there_is_no_text_encoder() -> None:
    family, whole = GUIDED["HunyuanImagePipeline"], made("HunyuanImagePipeline")
    names = ("prompt_embeds", "prompt_embeds_mask", "prompt_embeds_2", "prompt_embeds_mask_2")

    def encoded(text: str) -> dict[str, Any]:
        return dict(zip(names, whole.encode_prompt(text, "cpu", 1), strict=True))

    negative = {f"negative_{name}": value for name, value in encoded("").items()}
    given: dict[str, Any] = {
        **encoded(PROMPT),
        **negative,
        "concept_embeds": {text: encoded(text) for text in CONCEPTS},
    }
    without = copy.copy(whole)
    without.text_encoder = without.text_encoder_2 = None
    expected = run(with_semantic_guidance(whole, EAGER), family, PROMPT)
    assert torch.equal(run(with_semantic_guidance(without, EAGER), family, None, **given), expected)
    with pytest.raises(InvalidArgument, match=r"concept_embeds must hold every concept.*add 'a cat'"):
        run(with_semantic_guidance(without, EAGER), family, None, concepts=["a cat"], **given)


@pytest.mark.slow
@pytest.mark.parametrize("name", GUIDED)
def test_steered_predictions_are_those_of_a_loop_by_hand(name: str) -> None:
    family = GUIDED[name]
    pipe = family.make().to(torch.float32 if "Motif" in name else torch.float64)  # Motif-Video embeds time in float32
    tuned = with_semantic_guidance(with_guider(pipe, ClassifierFreeGuidance(guidance_scale=SCALE)), EAGER)
    steered: Record = {"guider": []}
    tuned.guider = recorded_guider(tuned.guider, steered["guider"], None)
    run(tuned, family, PROMPT)
    alone: list[Any] = []
    for text in (PROMPT, *CONCEPTS):
        record: list[Any] = []
        guider = recorded_guider(ClassifierFreeGuidance(guidance_scale=SCALE), record, steered["guider"])
        run(with_guider(pipe, guider), family, text)
        alone.append(record)
    for i, seen in enumerate(steered["guider"]):
        cond, uncond = (alone[0][i].given[branch] for branch in ("pred_cond", "pred_uncond"))
        concepts = torch.cat([alone[1 + k][i].given["pred_cond"] for k in range(2)])
        step = Step(seen.step, seen.count, SCALE)
        correction, _ = EAGER.correct(Predictions(uncond[0], cond[0], concepts), step, None)
        wanted = uncond + SCALE * (cond - uncond) + correction.delta
        torch.testing.assert_close(seen.output.pred, wanted, rtol=1e-6, atol=1e-6)
        assert correction.delta.abs().max() > 1e-3


def with_guider(pipe: Any, guider: Any) -> Any:
    for part in ("guider", "ocr_guider"):
        if part in pipe.components:
            setattr(pipe, part, guider)
    return pipe
