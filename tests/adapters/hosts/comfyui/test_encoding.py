"""Prompts and concepts for models with two text encoders."""

from __future__ import annotations

from typing import Any

import pytest

from semguide.adapters.hosts.comfyui.encoding import DecomposePrompt, DecomposePromptFlux, DecomposePromptSDXL
from support.comfyui import standin
from support.refusals import refuses

PROMPT = "a red book and a yellow vase"
SIZES: dict[str, Any] = {
    "width": 1024,
    "height": 768,
    "crop_w": 1,
    "crop_h": 2,
    "target_width": 512,
    "target_height": 384,
}


def texts_of(tokens: Any) -> dict[str, str]:
    return {part: "".join(chunks) for part, chunks in tokens.items()}


def test_sdxl_gets_both_texts_and_each_concept_for_both_encoders_with_the_same_sizes() -> None:
    clip = standin.TwoClips("g", "l")
    prompt, concepts, texts = DecomposePromptSDXL().decompose(clip, PROMPT, "watercolour", **SIZES)
    assert texts == "a red book\na yellow vase"
    encoded = [(texts_of(tokens), options) for tokens, options in clip.encoded]
    assert ({"g": PROMPT, "l": "watercolour"}, SIZES) in encoded
    assert ({"g": "a red book", "l": "a red book"}, SIZES) in encoded
    assert [options["semguide_concept"] for _, options in concepts] == ["a red book", "a yellow vase"]
    assert all(options["width"] == 1024 for _, options in [*prompt, *concepts])


def test_both_encoders_of_sdxl_read_as_many_chunks_the_shorter_ones_of_nothing() -> None:
    clip = standin.TwoClips("g", "l")
    DecomposePromptSDXL().decompose(clip, PROMPT, "ink", **SIZES, concepts="a cat")
    for tokens, _ in clip.encoded:
        assert len(tokens["g"]) == len(tokens["l"])
    tokens = next(tokens for tokens, _ in clip.encoded if "ink" in tokens["l"])
    assert tokens["l"] == ["ink", *[""] * (len(tokens["g"]) - 1)]


def test_flux_gets_both_texts_and_the_distilled_guidance() -> None:
    clip = standin.TwoClips("l", "t5xxl")
    _, concepts, texts = DecomposePromptFlux().decompose(clip, "red, yellow", PROMPT, 3.5)
    assert texts == "a red book\na yellow vase"
    encoded = [(texts_of(tokens), options) for tokens, options in clip.encoded]
    assert ({"l": "red, yellow", "t5xxl": PROMPT}, {"guidance": 3.5}) in encoded
    assert ({"l": "a yellow vase", "t5xxl": "a yellow vase"}, {"guidance": 3.5}) in encoded
    assert all(options["guidance"] == 3.5 for _, options in concepts)


def test_an_empty_second_text_is_the_first_one() -> None:
    clip = standin.TwoClips("g", "l")
    DecomposePromptSDXL().decompose(clip, PROMPT, " ", **SIZES, concepts="a cat")
    assert {"g": PROMPT, "l": PROMPT} in [texts_of(tokens) for tokens, _ in clip.encoded]
    clip = standin.TwoClips("l", "t5xxl")
    DecomposePromptFlux().decompose(clip, "", PROMPT, 3.5, concepts="a cat")
    assert {"l": PROMPT, "t5xxl": PROMPT} in [texts_of(tokens) for tokens, _ in clip.encoded]


def test_the_text_encoders_of_another_model_are_refused_with_the_missing_one() -> None:
    with refuses("clip", "must have a text encoder 'g'"):
        DecomposePromptSDXL().decompose(standin.TwoClips("l", "t5xxl"), PROMPT, "", **SIZES)
    with refuses("clip", "must have a text encoder 't5xxl'"):
        DecomposePromptFlux().decompose(standin.TwoClips("g", "l"), "", PROMPT, 3.5)
    with refuses("clip", "must have a text encoder 'l'"):
        DecomposePromptFlux().decompose(standin.Clip(), "", PROMPT, 3.5)


@pytest.mark.parametrize("node", [DecomposePrompt, DecomposePromptSDXL, DecomposePromptFlux])
def test_the_nodes_that_decompose_give_the_same_and_choose_concepts_alike(node: Any) -> None:
    assert node.RETURN_TYPES == ("CONDITIONING", "CONDITIONING", "STRING")
    assert list(node.INPUT_TYPES()["optional"]) == ["concepts", "max_concepts"]
