"""Guidance away from a prompt with nulled tokens: against a loop by hand, and where it cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from semguide import CDG, CFG, UnsupportedPipeline, steer
from semguide.adapters.pipelines.families.registry import FAMILIES as FAMILIES_OF_TABLE
from semguide.adapters.pipelines.token_nulling import content_indices, phrase_indices
from support.families.run import SCALE, STEPS, arguments_of, made, run
from support.families.table import FAMILIES
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, noise
from support.tiny.tokenizers import byte_tokenizer, clip_tokenizer

LENGTH = len("aredbookandayellowvase")  # the CLIP tokenizer of the tests has a token per letter
TEXT = "A red cat, and  a dog"
SPANS = [(1, 9), (12, 23)]  # its tokens of "a red book" and "a yellow vase"
ENCODED: dict[str, dict[str, Any]] = {
    "sd": {"num_images_per_prompt": 1, "device": "cpu"},
    "sdxl": {},
    "sd3": {"prompt_2": None, "prompt_3": None, "max_sequence_length": 48},
    "flux": {"prompt_2": None, "max_sequence_length": 48},
}
able = pytest.mark.parametrize("name", ENCODED)


def embeddings(pipe: Any, name: str) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Return the embeddings of prompt and empty prompt, and what else the pipeline is told of the prompt."""
    if name == "flux":
        encode = [pipe.encode_prompt(text, **ENCODED[name]) for text in (PROMPT, "")]
        return encode[0][0], encode[1][0], {"pooled_prompt_embeds": encode[0][1]}
    cond, uncond, *pooled = pipe.encode_prompt(PROMPT, do_classifier_free_guidance=True, **ENCODED[name])
    return cond, uncond, {"pooled_prompt_embeds": pooled[0]} if pooled else {}


def nulled_places(name: str, degraded: str, length: int) -> list[int]:
    """Return the nulled places as counted by hand."""
    clip = [0, *range(1, LENGTH + 2)] if degraded == "prompt" else [i for span in SPANS for i in range(*span)]
    spans = [(max(0, PROMPT.index(text) - 1), PROMPT.index(text) + len(text)) for text in CONCEPTS]  # with the space
    t5 = list(range(len(PROMPT) + 1)) if degraded == "prompt" else [i for span in spans for i in range(*span)]
    if name == "flux":
        return t5
    return clip if name != "sd3" else [*clip, *(length - 48 + place for place in t5)]


@able
@pytest.mark.parametrize("degraded", ["prompt", "concepts"])
def test_it_is_plain_guidance_with_the_degraded_prompt_as_the_negative_one(name: str, degraded: Any) -> None:
    pipe, family = made(name), FAMILIES[name]
    cond, uncond, pooled = embeddings(pipe, name)
    negative = cond.clone()
    places = nulled_places(name, degraded, cond.shape[1])
    negative[:, places] = uncond[:, places]
    given: dict[str, Any] = {"prompt_embeds": cond, "negative_prompt_embeds": negative, **pooled}
    given |= {f"negative_{key}": value for key, value in pooled.items()}
    given |= {"negative_prompt": None} if name == "flux" else {}
    expected = run(pipe, family, prompt=None, **given)
    result = steer(pipe, CDG(SCALE, degraded))(PROMPT, concepts=CONCEPTS, **arguments_of(family))
    plain = run(pipe, family)
    assert (expected - plain).abs().max() > 1e-3
    torch.testing.assert_close(result.images, expected, rtol=1e-5, atol=1e-6)
    assert result.evaluations == [2 * STEPS]
    assert result.alignment is None


@able
def test_images_of_a_batch_are_those_made_alone(name: str) -> None:
    pipe, family = made(name), FAMILIES[name]
    prompts, concepts = [PROMPT, "a cat"], [CONCEPTS, ["a cat"]]
    for invariant in (True, False):
        tuned = steer(pipe, CDG(SCALE), batch_invariant=invariant)
        seeds: dict[str, Any] = {"generator": [noise(1), noise(2)]}
        both = tuned(prompts, concepts=concepts, **arguments_of(family, **seeds)).images
        alone = tuned("a cat", concepts=concepts[1], **arguments_of(family, generator=noise(2))).images
        torch.testing.assert_close(both[1:], alone, rtol=0 if invariant else 1e-3, atol=0 if invariant else 1e-4)


def test_segments_are_tokenizers_of_the_family() -> None:
    rows = [row.text for row in FAMILIES_OF_TABLE if row.text.segments]
    assert rows
    assert all(set(text.segments) <= set(text.tokenizers) for text in rows)


def test_without_concepts_it_is_plain_guidance() -> None:
    pipe, family = made("sd"), FAMILIES["sd"]
    for degraded in ("prompt", "concepts"):
        tuned = steer(pipe, CDG(SCALE, degraded))
        assert torch.equal(tuned(PROMPT, concepts=[], **arguments_of(family)).images, run(pipe, family))


def test_the_negative_prompt_gives_the_null_tokens() -> None:
    tuned, arguments = steer(made("sd"), CDG(SCALE)), arguments_of(FAMILIES["sd"])
    plain = tuned(PROMPT, concepts=CONCEPTS, **arguments_of(FAMILIES["sd"])).images
    other = tuned(PROMPT, concepts=CONCEPTS, negative_prompt="blurry", **arguments).images
    assert (plain - other).abs().max() > 1e-4


def test_families_whose_tokens_are_not_known_are_refused() -> None:
    with pytest.raises(UnsupportedPipeline, match=r"rule nulls tokens of the prompt, .*got PixArtSigmaPipeline"):
        steer(made("pixart-sigma"), CDG())(PROMPT, concepts=CONCEPTS, **arguments_of(FAMILIES["pixart-sigma"]))


def test_embedded_guidance_is_refused_with_the_way_out() -> None:
    family = FAMILIES["flux-embedded"]
    with pytest.raises(UnsupportedPipeline, match="embedded guidance scale; give true_cfg_scale > 1"):
        steer(made("flux-embedded"), CDG())(PROMPT, concepts=CONCEPTS, **arguments_of(family))


def test_what_cannot_be_nulled_is_refused() -> None:
    pipe, arguments = made("sd3"), arguments_of(FAMILIES["sd3"])
    with refuses("prompt", "must be one text for all encoders"):
        steer(pipe, CDG())(PROMPT, concepts=CONCEPTS, prompt_2="a dog", **arguments)
    with refuses("prompt", "must be one text for all encoders"):
        steer(pipe, CDG())(None, concepts=CONCEPTS, prompt_embeds=torch.zeros(1, 3, 64), **arguments)
    with refuses("concepts", "must be phrases of the prompt"):
        steer(pipe, CDG(degraded="concepts"))(PROMPT, concepts=["a dog"], **arguments)


def test_plain_guidance_is_not_touched_by_the_way_of_the_embeddings() -> None:
    pipe, family = made("sd"), FAMILIES["sd"]
    assert torch.equal(steer(pipe, CFG(SCALE))(PROMPT, **arguments_of(family)).images, run(pipe, family))


def test_content_is_start_words_and_first_end() -> None:
    assert content_indices(clip_tokenizer(), "a cat", 12) == list(range(6))  # <start> a c a t <end>, then padding
    assert content_indices(byte_tokenizer(), "a cat", 12) == list(range(6))  # a, space, c a t, </s>
    assert content_indices(clip_tokenizer(), "a cat", 4) == list(range(4))


@pytest.mark.parametrize("words", ["red cat", "a dog", "A red cat", "cat"])
def test_phrases_are_found_behind_special_tokens(words: str) -> None:
    start = TEXT.index(words)
    for tokenizer in (clip_tokenizer(), byte_tokenizer()):
        indices = phrase_indices(tokenizer, TEXT, (start, start + len(words)))
        tokens = tokenizer.convert_ids_to_tokens([tokenizer(TEXT).input_ids[index] for index in indices])
        read = "".join(tokens).replace("</w>", "").replace("Ġ", "").lower()  # Ġ is a space
        assert read == words.replace(" ", "").lower()


def test_phrase_without_tokens_is_refused() -> None:
    with refuses("concepts", "must have tokens of their own"):
        phrase_indices(clip_tokenizer(), TEXT, (14, 16))
