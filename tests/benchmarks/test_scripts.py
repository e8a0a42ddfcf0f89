"""The whole folder: what the scripts count, and when they make pictures again; no picture is made here."""

from __future__ import annotations

import json
import runpy
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semguide.evaluation.image_batches import ImageBatch
from semguide.evaluation.judging import Detection
from semguide.evaluation.observation import ObservedImages
from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.evaluation.suites import suite
from semguide.guidance import CFG, METHODS, BalancedSGT
from semguide.guidance.signals import SIGNALS

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
NO_PICTURES = ImageBatch(np.zeros((1, 8, 8, 3), np.uint8), 50.0)


def test_tune_asks_for_the_place_where_the_prompt_names_one(monkeypatch: pytest.MonkeyPatch):
    prompt = next(prompt for prompt in suite("emoji-geneval") if prompt.position == "left")
    script = runpy.run_path(str(BENCHMARKS / "tune.py"))
    bed = object.__new__(script["Bed"])
    bed.prompts, bed.seeds, bed.judge, bed.steps, bed.evaluations = (prompt,), range(1), None, 25, None
    monkeypatch.setattr(script["Bed"], "_pictures", lambda *_: NO_PICTURES)
    for places, right in (((0.2, 0.8), True), ((0.8, 0.2), False)):
        things = [
            Detection(concept.head, "red", False, x, 0.5, 0.3, 0.9)
            for concept, x in zip(prompt.concepts, places, strict=True)
        ]
        monkeypatch.setitem(script["Bed"].measured.__globals__, "findings", lambda *_, seen=things: [seen])
        assert bed.measured("cfg", {}).right.tolist() == [[right]]


def test_tune_gives_every_method_the_steps_of_equal_evaluations():
    bed = object.__new__(runpy.run_path(str(BENCHMARKS / "tune.py"))["Bed"])
    bed.steps, bed.evaluations = 25, 70
    methods = {"cfg": 35, "sgt": 25, "sgt-v1": 17, "cdg": 35, "best-of-clip": 17}
    assert {name: bed.steps_of((SAMPLING_METHODS.get(name) or METHODS[name])()) for name in methods} == methods
    with pytest.raises(SystemExit, match="depend on the image"):
        bed.steps_of(SAMPLING_METHODS["attend-excite"]())
    bed.evaluations = None
    assert bed.steps_of(METHODS["cfg"]()) == 25


def test_observation_keeps_the_pictures_of_one_rule_apart_from_those_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = runpy.run_path(str(BENCHMARKS / "observation.py"))
    made: list[Any] = []

    def make(split: str, rule: Any, prompts: Any, options: Namespace) -> ObservedImages:
        del split, prompts, options
        made.append(rule)
        return ObservedImages(NO_PICTURES, {name: np.zeros((1, 1)) for name in SIGNALS})

    names = script["observations"].__globals__
    monkeypatch.setitem(names, "made", make)
    monkeypatch.setitem(names, "observed", lambda *_: None)
    options = {"out": tmp_path, "suite": "emoji-ae", "limit": 1, "model": "emoji-unet", "seeds": 1, "steps": 2}
    for rule in (CFG(5.0), CFG(7.0), BalancedSGT(7.0), CFG(7.0)):
        script["observations"]("test", rule, Namespace(**options))
    assert made == [CFG(5.0), CFG(7.0), BalancedSGT(7.0)]


def test_precision_counts_what_is_lost_and_won_and_makes_nothing_twice(tmp_path: Path):
    script = runpy.run_path(str(BENCHMARKS / "precision.py"))
    images = np.zeros((4, 2, 2, 3), np.uint8)
    full = {"images": images, "similarity": np.full((4, 3, 2), 0.5)}
    half = {"images": images + 2, "similarity": np.full((4, 3, 2), 0.5)}
    half["similarity"][:, 0, 1] = 0.75
    row = script["compared"](half, full, np.array([1, 0, 1, 0], bool), np.array([1, 1, 0, 0], bool))
    expected = {"pictures": 2.0, "right": 0.5, "change": 0.0, "lost": 0.25, "won": 0.25, "first_similarity": 0.25}
    assert {name: row[name][0] for name in expected} == expected
    plain = {**full, "similarity": np.full((4, 3, 2), np.nan)}
    assert "first_similarity" not in script["compared"](plain, plain, *[np.ones(4, bool)] * 2)
    made: list[int] = []
    found = [script["stored"](tmp_path / "x.npz", lambda: made.append(1) or full) for _ in range(2)]
    assert made == [1]
    assert np.array_equal(found[1]["images"], images)


def test_the_table_counts_gain_and_harm_against_the_first_row():
    script = runpy.run_path(str(BENCHMARKS / "table.py"))

    def measured(right: list[list[bool]], evaluations: float) -> Any:
        shape = np.array(right).shape
        return script["Measured"](np.array(right), np.full(shape, 0.9), np.full(shape, evaluations), ["x86_64 AVX2"])

    first = measured([[True, True], [False, False], [True, False]], 50.0)
    ours = measured([[True, False], [True, False], [True, True]], 40.0)
    row = script["Row"]("ours", "cfg", 20, {})
    found = script["summary"](row, ours, first)
    assert found["right"][0] == pytest.approx(4 / 6, abs=1e-4)
    assert found["difference"][0] == pytest.approx(1 / 6, abs=1e-4)
    assert found["gain"][0] == pytest.approx(2 / 3, abs=1e-4)  # two of the three failures
    assert found["harm"][0] == pytest.approx(1 / 3, abs=1e-4)  # one of the three right ones
    assert found["evaluations"] == 40.0
    perfect = measured([[True, True]] * 3, 50.0)
    found = script["summary"](row, perfect, perfect)
    assert (found["gain"], found["harm"][0]) == (None, 0.0)
    assert script["line"](found).count("|") == 8
    json.dumps(found, allow_nan=False)
    apart, alike = np.stack([np.eye(2)] * 3), np.ones((3, 2, 2))  # a prompt's two images differ by 1, and not at all
    several = script["summary"](row, replace(ours, features=alike), replace(first, features=apart))
    assert several["right_at_some_seed"][0] == 1.0
    assert several["diversity"][0] == pytest.approx(0.0)
    assert several["diversity_difference"][0] == pytest.approx(-1.0)
    assert several["diversity_difference_of_right"] is None  # both are right at one seed of each prompt at most
    assert script["line"](several).count("|") == 12
    several = script["summary"](row, replace(perfect, features=alike), replace(perfect, features=apart))
    assert several["diversity_difference_of_right"] == [-1.0, -1.0, -1.0]


def test_features_are_those_of_a_prompts_own_images(tmp_path: Path):
    script = runpy.run_path(str(BENCHMARKS / "table.py"))
    bench = script["Bench"]("emoji-unet", suite("emoji-pairs", "validation")[:2], 2, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    images[2] = images[0]  # the second seed of the first prompt is its first seed again
    first, second = bench._features(images)
    assert np.array_equal(first[0], first[1])
    assert not np.allclose(second[0], second[1])


def test_the_table_makes_a_piece_once_and_every_shard_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = runpy.run_path(str(BENCHMARKS / "table.py"))
    bench = script["Bench"]("emoji-unet", suite("emoji-pairs", "validation")[:70], 2, tmp_path)
    made: list[tuple[int, int]] = []

    def make(self: Any, row: Any, seed: int, prompts: list[Any], path: Path) -> None:
        del self, row
        made.append((seed, len(prompts)))
        path.touch()

    monkeypatch.setattr(script["Bench"], "_make_piece", make)
    rows = [script["Row"]("plain", "cfg", 25, {"guidance_scale": scale}) for scale in (7.0, 12.0)]
    bench.make(rows[0], (2, 2))
    assert made == [(0, 32), (1, 32), (1, 6)]
    bench.make(rows[0])
    assert sorted(made) == [(0, 6), (0, 32), (0, 32), (1, 6), (1, 32), (1, 32)]
    bench.make(rows[0])
    assert len(made) == 6
    bench.make(rows[1])  # another setting has pieces of its own
    assert len(made) == 12


def test_every_row_of_the_table_can_be_made():
    script = runpy.run_path(str(BENCHMARKS / "table.py"))
    rows = [script["Row"](**row) for row in json.loads(script["SETTINGS"].read_text(encoding="utf-8"))]
    assert len({str(row.identity) for row in rows}) == len(rows)


def test_pooled_counts_how_many_failures_fewer_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    script = runpy.run_path(str(BENCHMARKS / "pooled.py"))
    before = np.array([[True, False], [False, False], [True, True]])
    right = np.array([[True, True], [False, True], [False, True]])
    found, low, high = script["fewer"](right, before)
    assert found == pytest.approx(1 - 2 / 3)
    assert low <= found <= high


def test_the_prompts_between_two_limits_are_those_of_the_larger_that_the_smaller_has_not():
    prompts_of = runpy.run_path(str(BENCHMARKS / "table.py"))["prompts_of"]
    few, many, between = (prompts_of("emoji-pairs", "validation", limit) for limit in ("10", "30", "10-30"))
    assert len(between) == 20
    assert {prompt.text for prompt in [*few, *between]} == {prompt.text for prompt in many}
    assert len(prompts_of("emoji-pairs", "validation", None)) == 200
