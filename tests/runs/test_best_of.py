import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from semguide.runs import folder
from semguide.runs.png import pixel_hash, read_png, write_png
from semguide.selection import PartialRun

Cli = Callable[..., Result]
STEPS, FIRST = 6, 2
DROPPED = 4 * FIRST
"""Evaluations of the first steps of a seed: e(0), e(P) and two concepts."""
WHOLE = 2 * STEPS + 2 * 2
"""Evaluations of an image of sgt whose window is as long as the first steps."""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def best(generate: Cli) -> Cli:
    """Call `semguide generate --best-of 4` with 6 steps."""

    def call(*more: object, **keywords: Any) -> Result:
        fixed = ("--best-of", 4, "--steps", STEPS, "--seed", 3, "--set", "stop=0.3")
        return generate(*fixed, *more, **keywords)

    return call


def described(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def pixels(folder: Path) -> dict[str, str]:
    return {path.name: pixel_hash(read_png(path)[0]) for path in (folder / "images").iterdir()}


def test_the_most_promising_seed_is_finished_and_the_others_are_recorded(best: Cli, out: Path):
    result = best()
    assert (result.exit_code, result.stderr) == (0, "")
    run = described(out)
    choice = run["best_of"]
    assert [candidate["seed"] for candidate in choice["candidates"]] == [3, 4, 5, 6]
    (kept,) = [candidate for candidate in choice["candidates"] if candidate["kept"]]
    assert kept["score"] == max(candidate["score"] for candidate in choice["candidates"])
    assert choice["seeds"] == run["run"]["seeds"] == [kept["seed"]]
    assert list(pixels(out)) == [f"sgt-balanced-{kept['seed']}.png"]
    dropped = [candidate["evaluations"] for candidate in choice["candidates"] if not candidate["kept"]]
    assert dropped == [DROPPED] * 3
    assert kept["evaluations"] == run["images"][0]["evaluations"] == WHOLE
    assert choice["evaluations"] == 3 * DROPPED + WHOLE
    cost = f"{choice['evaluations']} denoiser evaluations of sgt-balanced"
    assert f"chosen: seed {kept['seed']} of 4; {cost}" in result.stdout
    assert "already" not in result.stdout


def test_a_chosen_image_is_that_of_the_seed_alone_and_compared_methods_have_the_same_seeds(
    best: Cli, generate: Cli, cli: Cli, out: Path, tmp_path: Path
):
    assert best("--keep", 2, "--compare", "cfg").exit_code == 0
    run = described(out)
    seeds = run["run"]["seeds"]
    scores = {candidate["seed"]: candidate["score"] for candidate in run["best_of"]["candidates"]}
    assert seeds == sorted(scores, key=lambda seed: -scores[seed])[:2]
    assert set(pixels(out)) == {f"{method}-{seed}.png" for method in ("cfg", "sgt-balanced") for seed in seeds}
    alone = tmp_path / "alone"
    common = ("--steps", STEPS, "--compare", "cfg", "--set", "stop=0.3")
    assert generate("--seed", seeds[0], "--num-images", 1, *common, out=alone).exit_code == 0
    assert pixels(alone).items() <= pixels(out).items()
    repeated = tmp_path / "repeated"
    assert cli("generate", "--from", out / "run.json", "--out", repeated).exit_code == 0
    assert pixels(repeated) == pixels(out)


def test_the_same_command_again_makes_nothing_and_another_is_refused(
    best: Cli, out: Path, monkeypatch: pytest.MonkeyPatch
):
    best()
    before = (out / "run.json").read_bytes()
    monkeypatch.setattr(PartialRun, "__init__", None)
    again = best()
    assert again.exit_code == 0, again.stderr
    assert "1 image (1 of them were there already)" in again.stdout
    assert (out / "run.json").read_bytes() == before
    other = best("--keep", 2)
    assert (other.exit_code, "--out must not hold images" in other.stderr) == (2, True)


def test_ctrl_c_after_the_choice_loses_it_not(best: Cli, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    best(out=tmp_path / "whole")

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_png", stopped)
    result = best()
    assert (result.exit_code, "0 of 1 images are finished" in result.stderr) == (1, True)
    monkeypatch.setattr(folder, "write_png", write_png)
    monkeypatch.setattr(PartialRun, "__init__", None)
    assert best().exit_code == 0
    assert pixels(out) == pixels(tmp_path / "whole")
    assert described(out)["best_of"] == described(tmp_path / "whole")["best_of"]


def test_ctrl_c_before_the_choice_leaves_nothing(best: Cli, out: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PartialRun, "__init__", stopped)
    result = best()
    assert (result.exit_code, "no seed is chosen yet" in result.stderr) == (1, True)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--best-of", 0), "--best-of must be from 1"),
        (("--best-of", 10_001), "--best-of must be from 1"),
        (("--best-of", 4, "--keep", 5), "--keep must be from 1 to --best-of (4)"),
        (("--best-of", 4, "--keep", 0), "--keep must be from 1"),
        (("--keep", 1), "beside --best-of"),
        (("--best-of", 4, "--num-images", 4), "--num-images must not stand beside --best-of"),
    ],
)
def test_what_cannot_be_is_refused(generate: Cli, out: Path, arguments: tuple[object, ...], named: str):
    result = generate(*arguments)
    assert (result.exit_code, named in result.stderr) == (2, True), result.stderr
    assert not out.exists()


def test_a_prompt_without_a_concept_is_refused(generate: Cli, out: Path):
    result = generate("--best-of", 2, prompt="slowly and then quickly")
    assert (result.exit_code, "must have a concept to choose by" in result.stderr) == (2, True), result.stderr
    assert not out.exists()
