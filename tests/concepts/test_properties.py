from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semguide.concepts import as_concepts, decompose
from semguide.concepts.lexicon.tagging import Sentence, Tag
from semguide.concepts.lexicon.tokens import tokenize
from semguide.concepts.spans import clean

PLAIN = "a an the two 3 dog cats red orange and with of in 's , . ( ) : 1.3 | <b> its it black white very running sits "
MARKED = "(red:1.2) (cat)1.4 red++ <cat-toy> embedding:x.y f/2.8 1 9 2 0 s girls' 1girl 6+girls score_9 ‘ ’ “ ” BREAK"
WORDS = [*PLAIN.split(), *MARKED.split(), "\n", "\x00"]
WORDY = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
PROMPTS = st.one_of(st.text(max_size=200), WORDY)


@settings(max_examples=500, deadline=None)
@given(PROMPTS)
def test_spans_are_sorted_disjoint_and_exact_for_any_text(prompt: str) -> None:
    concepts = decompose(prompt)
    last = 0
    for concept in concepts:
        assert concept.span is not None
        start, end = concept.span
        assert last <= start < end <= len(prompt)
        assert clean(prompt[start:end]) == concept.text
        assert not {*prompt[start], *prompt[end - 1]} & set("()[]{}:+")
        assert concept.head
        assert concept.head in concept.text.lower().replace("’", "'")
        assert concept.count is None or concept.count >= 0
        last = end


@settings(max_examples=100, deadline=None)
@given(PROMPTS)
def test_the_same_prompt_gives_the_same_concepts(prompt: str) -> None:
    assert decompose(prompt) == decompose(prompt)


@settings(max_examples=200, deadline=None)
@given(PROMPTS)
def test_tokens_are_disjoint_slices_of_the_prompt(prompt: str) -> None:
    last = 0
    for token in tokenize(prompt):
        assert last <= token.start < token.end <= len(prompt)
        last = token.end


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(str.strip), PROMPTS)
def test_any_text_can_be_a_concept_of_the_callers(text: str, prompt: str) -> None:
    (concept,) = as_concepts([text], prompt)
    if concept.span is None:
        assert concept.text == text.strip()
    else:
        assert prompt[slice(*concept.span)] == concept.text


@settings(max_examples=200, deadline=None)
@given(WORDY)
def test_found_concepts_given_back_by_hand_are_found_again(prompt: str) -> None:
    found = [concept.text for concept in decompose(prompt) if concept.text in prompt]
    assert all(concept.span is not None for concept in as_concepts(found, prompt))


@pytest.mark.parametrize(
    "part",
    ["a ", "3 dogs ", "red, ", "big ", "dogs ", "a (red:1.2) car ", "by ann, ", "with ", "black and ", "a bowl of "],
)
def test_four_times_the_prompt_is_four_times_the_work(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    tag = Sentence.tag

    def counted(sentence: Sentence, index: int) -> Tag:
        nonlocal reads
        reads += 1
        return tag(sentence, index)

    monkeypatch.setattr(Sentence, "tag", counted)
    decompose(part * 200)
    short, reads = reads, 0
    decompose(part * 800)
    assert reads < 5 * short
