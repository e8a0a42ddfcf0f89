"""Labels set by eye, and how findings are held against them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from semguide.evaluation.judging import Detection
from semguide_emoji.scenes import COLOURS, SMALL_WORLD

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "labels.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


@pytest.fixture(scope="module")
def images(script: dict[str, Any]) -> list[dict[str, Any]]:
    return json.loads(script["LABELS"].read_text(encoding="utf-8"))["images"]


def seen(*things: tuple[str, str]) -> list[Detection]:
    return [Detection(noun, colour, False, 0.5, 0.5, 0.4, 0.9) for noun, colour in things]


def test_labels_belong_to_the_pictures_that_the_script_makes(
    script: dict[str, Any], images: list[dict[str, Any]]
) -> None:
    made = [(name, prompt.text, seed) for seed, (name, prompt) in enumerate(script["chosen"]())]
    assert [(image["suite"], image["prompt"], image["seed"]) for image in images] == made
    assert len(images) == 276


def test_every_label_is_a_noun_and_a_colour_of_the_world(images: list[dict[str, Any]]) -> None:
    things = [thing for image in images for thing in image["labels"]]
    assert {noun for noun, _ in things} - {None} == set(SMALL_WORLD.nouns)
    assert {colour for _, colour in things} <= {*COLOURS, "natural"}


@pytest.mark.parametrize(
    ("labels", "found", "counts"),
    [
        ([("cat", "red")], [("cat", "red")], {"right": 1}),
        ([("bear", "natural")], [("bear", "brown")], {"right": 1}),
        ([("dog", "natural")], [("dog", "natural")], {"right": 1}),
        ([("cat", "red")], [("cat", "blue")], {"colour": 1}),
        ([("cat", "red"), ("cat", "blue")], [("cat", "blue"), ("cat", "red")], {"right": 2}),
        ([("cat", "red"), ("cat", "blue")], [("cat", "blue")], {"right": 1, "missed": 1}),
        ([("cat", "red")], [("dog", "red")], {"noun": 1, "false": 1}),
        ([("cat", "red")], [("cat", "red"), ("cat", "red")], {"right": 1, "false": 1}),
        ([(None, "red")], [("cat", "red")], {"unnamed": 1}),
        ([(None, "red"), ("cat", "red")], [("dog", "red")], {"unnamed": 1, "noun": 1, "false": 1}),
        ([], [("dog", "red")], {"false": 1}),
    ],
)
def test_findings_are_matched_with_labels_by_noun_and_colour_then_by_noun(
    script: dict[str, Any], labels: list[Any], found: list[tuple[str, str]], counts: dict[str, int]
) -> None:
    assert script["compare"](labels, seen(*found)) == script["Tally"](**counts)


def test_a_share_counts_objects_and_its_interval_draws_pictures(script: dict[str, Any]) -> None:
    estimate = script["share"]([1, 0, 3], [1, 1, 4])
    assert estimate.mean == pytest.approx(4 / 6)
    assert estimate.low == 0.0
    assert estimate.high == 1.0
