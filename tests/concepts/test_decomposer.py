"""Prompts and backends that `decompose` takes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from semguide.concepts import BACKENDS, decompose
from semguide.types import Concept
from support.refusals import refuses


@pytest.mark.parametrize("prompt", [None, 3, b"a cat", ["a cat"]])
def test_a_prompt_that_is_no_string_is_refused(prompt: Any) -> None:
    with refuses("prompt", "must be a string"):
        decompose(prompt)


@pytest.mark.parametrize("backend", ["nltk", "", 3, None, dict])
def test_an_unknown_backend_is_refused_with_the_valid_ones(backend: Any) -> None:
    with refuses("backend", "must be one of lexicon, spacy, llm"):
        decompose("a cat", backend)


class Fixed:
    def __init__(self, *concepts: Concept) -> None:
        self.concepts = concepts

    def decompose(self, prompt: str) -> list[Concept]:
        return list(self.concepts)


def test_an_object_of_the_callers_serves_as_backend() -> None:
    concepts = [Concept("cat", (2, 5)), Concept("a unicorn")]
    assert decompose("a cat", Fixed(*concepts)) == concepts


@pytest.mark.parametrize("spans", [[(0, 1)], [(2, 5), (2, 5)], [(-3, 5)]])
def test_a_backend_with_wrong_spans_is_refused(spans: list[tuple[int, int]]) -> None:
    with refuses("backend", "prompt[start:end] == text"):
        decompose("a cat", Fixed(*(Concept("cat", span) for span in spans)))


@pytest.mark.parametrize("result", [None, ["a cat"], "a cat", 3])
def test_a_backend_that_returns_no_concepts_is_refused(result: Any) -> None:
    class Wrong:
        def decompose(self, prompt: str) -> Any:
            return result

    with refuses("backend", "must return a list of Concepts"):
        decompose("a cat", Wrong())


def test_backends_are_the_three_of_the_contract() -> None:
    assert list(BACKENDS) == ["lexicon", "spacy", "llm"]


def test_importing_the_package_loads_no_tagger() -> None:
    heavy = {"textblob", "nltk", "spacy", "openai", "torch"}
    code = f"import sys, semguide.concepts; print(sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
