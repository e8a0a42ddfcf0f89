"""Tokens of textual inversions: they belong to their concept, are encoded with it and counted in the prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import SGT, steer
from semguide.adapters.pipelines.families.registry import ARCHITECTURES
from semguide.adapters.pipelines.text_encoding import readers_of
from semguide.adapters.pipelines.token_nulling import phrase_indices, prompt_tokenizer
from support.tiny.calls import call, fresh

PROMPT = "a <cat-toy> backpack and a dog"


@pytest.fixture
def taught(sd: Any) -> Any:
    """Return a pipeline that was taught a token of two vectors."""
    pipe = fresh(sd, deep=True)
    pipe.tokenizer.add_tokens(["<cat-toy>", "<cat-toy>_1"])
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer), mean_resizing=False)
    return pipe


def read_by(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Record the tokens of each text that a pipeline's text encoder reads."""
    texts, forward = [], pipe.text_encoder.forward

    def recording(input_ids: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        texts.extend(input_ids.tolist())
        return forward(input_ids, *args, **kwargs)

    monkeypatch.setattr(pipe.text_encoder, "forward", recording)
    return texts


def test_the_token_is_encoded_with_its_concept_in_all_its_vectors(taught: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = taught.tokenizer.convert_tokens_to_ids(["<cat-toy>", "<cat-toy>_1"])
    texts = read_by(taught, monkeypatch)
    result = steer(taught, SGT())(PROMPT, num_inference_steps=1, output_type="latent")
    assert result.trace.concepts == (("a <cat-toy> backpack", "a dog"),)
    concept, dog = (taught.tokenizer(text).input_ids for text in ("a <cat-toy> <cat-toy>_1 backpack", "a dog"))
    assert [text[: len(concept)] for text in texts].count(concept) == 1
    assert [vectors[0] in text and vectors[1] in text for text in texts].count(True) == 2, "prompt and concept"
    assert [text[: len(dog)] for text in texts].count(dog) == 1


def test_the_vectors_count_in_what_is_read_and_in_the_places_of_phrases(taught: Any) -> None:
    tokenizer = prompt_tokenizer(taught, taught.tokenizer)
    written = "a <cat-toy> <cat-toy>_1 backpack and a dog"
    span, after = (PROMPT.index("a dog"), len(PROMPT)), (written.index("a dog"), len(written))
    assert phrase_indices(tokenizer, PROMPT, span) == phrase_indices(taught.tokenizer, written, after)
    (reader,) = readers_of(taught, ARCHITECTURES["StableDiffusionPipeline"].text, {})
    crowd = "<cat-toy> " * 37
    assert reader.read(f"{crowd}a") == len(crowd) + 1
    assert reader.read(f"{crowd}a b") < len(crowd) + 3


def test_a_prompt_without_such_a_token_is_steered_as_before(taught: Any, sd: Any) -> None:
    with_token, without = (call(steer(pipe, SGT()), "a cat and a dog", num_inference_steps=1) for pipe in (taught, sd))
    assert torch.equal(with_token, without)
