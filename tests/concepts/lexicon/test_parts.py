from __future__ import annotations

import pytest

from semguide.concepts import decompose


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat with a red hat and a dog with a blue collar", {"a red hat": "a cat", "a blue collar": "a dog"}),
        ("a man wearing a coat and a scarf", {"a coat": "a man", "a scarf": "a man"}),
        ("a girl in a green dress", {"a green dress": "a girl"}),
        ("a house that has a tiled roof", {"a tiled roof": "a house"}),
        ("a man with a dog", {}),
        ("a hat on a table with a vase", {}),
    ],
)
def test_a_part_or_garment_names_its_whole(prompt: str, expected: dict[str, str]) -> None:
    assert {c.text: c.part_of for c in decompose(prompt) if c.part_of} == expected
