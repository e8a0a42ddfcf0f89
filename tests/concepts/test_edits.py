"""Edits: what they may hold, how they are typed, and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semguide import Edit, Edits
from semguide.concepts.edits import as_edits, from_json, parse_edit
from support.refusals import refuses

HAT, SNOW = Edit("a hat"), Edit("snow", "less", scale=3.0, stop=0.6)


@pytest.mark.parametrize(
    ("typed", "direction", "edit"),
    [
        ("a hat", "more", HAT),
        ("snow:3;stop=0.6", "less", SNOW),
        (" snow : 3 ; stop = 0.6 ; scale = 3 ", "less", SNOW),
        ("a clock at 12:30pm", "more", Edit("a clock at 12:30pm")),
        ("a hat;weight=0.5;threshold=0.8;start=0", "more", Edit("a hat", weight=0.5, threshold=0.8, start=0.0)),
    ],
)
def test_an_edit_is_typed_as_text_scale_and_settings(typed: str, direction: Any, edit: Edit) -> None:
    assert parse_edit(typed, direction) == edit


@pytest.mark.parametrize("typed", ["", ":3", "snow:0", "snow:-2", "snow;stop", "snow;stopp=1", "snow;stop=x"])
def test_what_is_typed_wrong_is_refused_by_its_direction(typed: str) -> None:
    with refuses("less"):
        parse_edit(typed, "less")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": " "},
        {"text": 3},
        {"text": "x" * 10_001},
        {"text": "\ud800"},
        {"direction": "none"},
        {"scale": 0.0},
        {"scale": 101.0},
        {"scale": float("nan")},
        {"scale": True},
        {"weight": 0.0},
        {"threshold": 1.1},
        {"start": -0.1},
        {"start": 0.5, "stop": 0.5},
        {"stop": 2.0},
    ],
)
def test_an_edit_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with refuses("edits"):
        Edit(**{"text": "a hat", **fields})


def test_edits_that_contradict_or_repeat_each_other_are_refused() -> None:
    with refuses("edits", "more and for less of one thing", "Snow "):
        Edits((SNOW, Edit("Snow ")))
    with refuses("edits", "each text once", "snow"):
        Edits((SNOW, Edit("snow", "less")))
    with refuses("edits", "at most 16", 17):
        Edits(tuple(Edit(f"thing {i}") for i in range(17)))


@pytest.mark.parametrize("momentum", [{"momentum_scale": -1.0}, {"momentum_beta": 1.5}])
def test_a_momentum_out_of_range_is_refused(momentum: dict[str, float]) -> None:
    with refuses("edits"):
        Edits((HAT,), **momentum)


def test_callers_give_edits_as_a_list_of_edits_and_texts() -> None:
    assert as_edits(["a hat", SNOW]) == Edits((HAT, SNOW))
    assert as_edits(Edits((HAT,), 0.0)) == Edits((HAT,), 0.0)
    assert not as_edits(None)
    assert not as_edits([])
    for wrong in ("a hat", 3, [3]):
        with refuses("edits"):
            as_edits(wrong)


def test_edits_survive_json() -> None:
    edits = Edits((HAT, SNOW), momentum_scale=0.3, momentum_beta=0.6)
    assert from_json(json.loads(json.dumps(edits.to_json()))) == edits


@pytest.mark.parametrize(
    "change", [{"each": 1}, {"each": [1]}, {"each": [{"text": "a"}]}, {"more": 1}, {"momentum_scale": "a"}]
)
def test_broken_json_is_refused(change: dict[str, Any]) -> None:
    with refuses("edits"):
        from_json({**Edits((HAT,)).to_json(), **change})
