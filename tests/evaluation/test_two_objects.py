"""The prompts for models that draw anything."""

from __future__ import annotations

import pytest

from semguide.concepts import decompose
from semguide.evaluation.suites import suite

PROMPTS = suite("two-objects")


def test_they_have_the_structure_of_the_attend_and_excite_prompts() -> None:
    sizes = {category: sum(p.category == category for p in PROMPTS) for category in {p.category for p in PROMPTS}}
    assert sizes == {"animals": 66, "animals_objects": 144, "objects": 66}
    assert len({prompt.text for prompt in PROMPTS}) == len(PROMPTS)
    assert all(len(suite("two-objects", split)) > 100 for split in ("validation", "test"))


@pytest.mark.parametrize("prompt", PROMPTS[::7], ids=lambda prompt: prompt.text)
def test_their_concepts_are_those_that_are_found_in_them(prompt) -> None:
    assert [(c.text, c.span, c.head, c.attributes) for c in decompose(prompt.text)] == [
        (c.text, c.span, c.head, c.attributes) for c in prompt.concepts
    ]


def test_two_objects_have_two_colours() -> None:
    assert all(a.attributes != b.attributes for a, b in (p.concepts for p in PROMPTS if p.category == "objects"))
