from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from semguide.concepts import SpacyDecomposer, decompose
from semguide.concepts import spacy as backend
from semguide.errors import MissingExtra
from semguide.types import Concept
from support.refusals import refuses


@dataclass
class Root:
    idx: int
    pos_: str = "NOUN"


@dataclass
class Chunk:
    start_char: int
    end_char: int
    root: Root


@dataclass
class Document:
    noun_chunks: list[Chunk]


def fake_nlp(*chunks: tuple[str, str, str]) -> Callable[[str], Document]:
    """A pipeline that finds the given (chunk, root, part of speech) in any prompt that holds them."""

    def parse(prompt: str) -> Document:
        found: list[Chunk] = []
        for text, root, pos in chunks:
            start = prompt.index(text, found[-1].end_char if found else 0)
            found.append(Chunk(start, start + len(text), Root(start + text.index(root), pos)))
        return Document(found)

    return parse


@pytest.fixture(autouse=True)
def no_pipeline_kept() -> None:
    backend._load.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_noun_chunks_become_concepts() -> None:
    nlp = fake_nlp(("two big red books", "books", "NOUN"), ("a vase", "vase", "NOUN"))
    assert decompose("two big red books and a vase", SpacyDecomposer(nlp=nlp)) == [
        Concept("two big red books", (0, 17), "books", ("big", "red"), 2),
        Concept("a vase", (22, 28), "vase", (), 1),
    ]


def test_pronouns_media_and_repeats_are_left_out_as_in_the_lexicon_backend() -> None:
    nlp = fake_nlp(
        ("a photo", "photo", "NOUN"), ("a dog", "dog", "NOUN"), ("it", "it", "PRON"), ("a dog", "dog", "NOUN")
    )
    found = decompose("a photo of a dog and it and a dog", SpacyDecomposer(nlp=nlp))
    assert found == [Concept("a dog", (11, 16), "dog", (), 2)]


def test_a_chunk_without_a_word_is_no_concept() -> None:
    assert decompose("🐶", SpacyDecomposer(nlp=fake_nlp(("🐶", "🐶", "NOUN")))) == []


def test_the_pipeline_is_loaded_by_name_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    module: Any = ModuleType("spacy")

    def load(name: str) -> Callable[[str], Document]:
        loaded.append(name)
        return fake_nlp(("a cat", "cat", "NOUN"))

    module.load = load
    monkeypatch.setitem(sys.modules, "spacy", module)
    monkeypatch.setenv("SEMGUIDE_SPACY_PIPELINE", "en_from_environment")
    assert decompose("a cat", "spacy") == decompose("a cat", "spacy") == [Concept("a cat", (0, 5), "cat", (), 1)]
    assert decompose("a cat", SpacyDecomposer(pipeline="en_given")) == decompose("a cat")
    assert loaded == ["en_from_environment", "en_given"]


def test_without_spacy_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(MissingExtra, match=r"pip install '\.\[spacy\]'"):
        decompose("a cat", "spacy")


def test_a_pipeline_that_is_not_installed_is_refused_with_the_download_command(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("spacy")

    def load(name: str) -> None:
        raise OSError("[E050] Can't find model")

    module.load = load
    monkeypatch.setitem(sys.modules, "spacy", module)
    monkeypatch.delenv("SEMGUIDE_SPACY_PIPELINE", raising=False)
    with refuses("backend.pipeline", "must be an installed spaCy pipeline", "en_core_web_sm"):
        decompose("a cat", "spacy")


def test_a_pipeline_without_a_parser_is_refused() -> None:
    class NoParser:
        @property
        def noun_chunks(self) -> list[Chunk]:
            raise ValueError("[E029] noun_chunks requires the dependency parse")

    def parse(prompt: str) -> NoParser:
        return NoParser()

    with refuses("backend.pipeline", "must find noun chunks"):
        decompose("a cat", SpacyDecomposer(nlp=parse))


def test_real_spacy_documents_are_read() -> None:
    spacy: Any = pytest.importorskip("spacy")
    tokens: Any = pytest.importorskip("spacy.tokens")
    blank = spacy.blank("en")

    def parse(prompt: str) -> Any:
        words = prompt.split()  # a red book and it
        return tokens.Doc(
            blank.vocab,
            words=words,
            pos=["DET", "ADJ", "NOUN", "CCONJ", "PRON"],
            deps=["det", "amod", "ROOT", "cc", "conj"],
            heads=[2, 2, 2, 2, 2],
        )

    assert decompose("a red book and it", SpacyDecomposer(nlp=parse)) == [
        Concept("a red book", (0, 10), "book", ("red",), 1)
    ]
    with refuses("backend.pipeline", "must find noun chunks"):
        decompose("a red book", SpacyDecomposer(nlp=blank))
