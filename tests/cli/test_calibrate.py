import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

from semguide.evaluation import concept_judges
from semguide.evaluation.bench.generation import TaskRunner
from semguide.evaluation.rows import read_rows
from semguide.models.calibrations import FILE, find_calibration
from semguide.models.weights import folder_weights_fingerprint
from support.tiny_scorers import save_tiny_blip, save_tiny_clip

Cli = Callable[..., Result]
PROMPTS = [f"a {a} and a {b}" for a in ("cat", "dog", "bird") for b in ("bear", "chair", "apple", "car")]


@pytest.fixture
def calibrate(cli: Cli, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Call `semguide calibrate` on the tiny checkpoint, with a user's data folder of its own."""
    monkeypatch.setenv("SEMGUIDE_DATA", str(tmp_path / "data"))
    (tmp_path / "pairs.csv").write_text("\n".join(["prompt", *PROMPTS]))

    def call(*arguments: object) -> Result:
        given = ("--model", tiny, "--suite", tmp_path / "pairs.csv", "--steps", 3, "--out", tmp_path / "out")
        return cli("calibrate", *given, *arguments)

    return call


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_clip(tmp_path_factory.mktemp("judges") / "clip")


class LikelyJudge:
    """Finds the likelier concept by the first steps right, as a real judge mostly would; each eighth is turned."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.leads = {row["prompt"]: row["log_odds"][0] > row["log_odds"][1] for row in rows}
        self.number = 0

    def verdict(self, prompt: Any, image: Image.Image) -> list[bool]:
        self.number += 1
        first = self.leads[prompt.text] is not (self.number % 8 == 0)
        return [first, not first]


class AlternatingJudge:
    """Finds every second concept right in the order of what the first steps say, so that they foretell nothing."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        order = sorted((odds, row["prompt"], k) for row in rows for k, odds in enumerate(row["log_odds"]))
        self.right = {(prompt, k): rank % 2 == 0 for rank, (_, prompt, k) in enumerate(order)}

    def verdict(self, prompt: Any, image: Image.Image) -> list[bool]:
        return [self.right[prompt.text, k] for k in range(2)]


def fitted(
    calibrate: Cli, clip: Path, out: Path, monkeypatch: pytest.MonkeyPatch, judge: Callable[..., Any] = LikelyJudge
) -> Result:
    """Make the images, then judge them by a judge whose verdicts depend on what the first steps say."""
    calibrate("--judge", "clip", "--judge-model", clip)
    rows = read_rows(out / "images" / "rows")
    monkeypatch.setattr(concept_judges, "load_concept_judge", lambda *given: judge(rows))
    for file in (out / "images" / "verdicts").glob("*/*"):
        file.unlink()
    return calibrate("--judge", "clip", "--judge-model", clip)


def test_a_fit_is_kept_where_the_model_is_found_again_with_a_diagram(
    calibrate: Cli, cli: Cli, clip: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    result = fitted(calibrate, clip, tmp_path / "out", monkeypatch)
    assert result.exit_code == 0, result.stderr
    assert "24 concepts of 12 images of pairs.csv, 50% right by clip" in result.stdout
    assert "24 concepts are few" in result.stderr
    fingerprint = folder_weights_fingerprint(tiny)
    assert fingerprint is not None
    found = find_calibration(fingerprint)
    assert found is not None
    assert found.slope > 0
    assert (found.fitted_on["model"], found.fitted_on["method"]) == (tiny.name, "sgt-balanced")
    assert json.loads((tmp_path / "out" / FILE).read_text())["slope"] == found.slope
    with Image.open(tmp_path / "out" / "reliability.png") as diagram:
        assert min(diagram.size) > 400
    made = cli("generate", PROMPTS[0], "--model", tiny, "--steps", 3, "--num-images", 1, "--out", tmp_path / "run")
    assert made.exit_code == 0, made.stderr
    (image,) = json.loads((tmp_path / "run" / "run.json").read_text())["images"]
    assert all(0 < concept["probability"] < 1 for concept in image["alignment"])


def test_a_fit_that_foretells_nothing_is_not_kept(
    calibrate: Cli, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    result = fitted(calibrate, clip, tmp_path / "out", monkeypatch, AlternatingJudge)
    assert result.exit_code == 1, result.stdout
    assert "no fit is kept" in result.stderr
    assert not (tmp_path / "data").exists()
    assert (tmp_path / "out" / "reliability.png").is_file()


def test_a_second_call_makes_no_image_and_judges_none(
    calibrate: Cli, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = fitted(calibrate, clip, tmp_path / "out", monkeypatch)
    monkeypatch.setattr(TaskRunner, "__init__", None)
    monkeypatch.setattr(concept_judges, "load_concept_judge", None)
    again = calibrate("--judge", "clip", "--judge-model", clip)
    assert again.exit_code == 0, again.stderr
    assert again.stdout == first.stdout


def test_the_same_images_serve_another_judge(calibrate: Cli, clip: Path, tmp_path: Path, monkeypatch):
    calibrate("--judge", "clip", "--judge-model", clip)
    monkeypatch.setattr(TaskRunner, "__init__", None)
    calibrate("--judge", "vqa", "--judge-model", save_tiny_blip(tmp_path / "blip"))
    kept = list((tmp_path / "out" / "images" / "verdicts").iterdir())
    assert [len(read_rows(folder)) for folder in kept] == [12, 12]


def test_ctrl_c_keeps_what_is_made_and_judged(calibrate: Cli, clip: Path, tmp_path: Path, monkeypatch):
    class Stopped:
        calls = 0

        def verdict(self, prompt: Any, image: Any) -> list[bool]:
            self.calls += 1
            if self.calls > 5:
                raise KeyboardInterrupt
            return [True, False]

    monkeypatch.setattr(concept_judges, "load_concept_judge", lambda *given: Stopped())
    result = calibrate("--judge", "clip", "--judge-model", clip)
    assert result.exit_code == 1
    assert result.stderr.startswith("stopped: all images are made")
    (kept,) = (tmp_path / "out" / "images" / "verdicts").iterdir()
    assert len(read_rows(kept)) == 5


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--judge", "eye"), "--judge must be one of clip, vqa, detector"),
        (("--judge", "clip", "--judge-model", "nowhere"), "--judge-model"),
        (("--judge", "detector", "--judge-model", "nowhere"), "--judge-model"),
        (("--judge", "detector", "--seeds", 0), "--seeds"),
        (("--judge", "detector", "--suite", "two-objects"), "--suite must ask for things that emoji-judge knows"),
        (("--judge", "detector", "--suite", "emoji-aee"), "--suite"),
        (("--judge", "detector", "--split", "half"), "--split"),
        (("--judge", "detector", "--steps", 0), "--steps"),
        (("--judge", "detector", "--guidance-scale", 1), "--model must have guidance, of which the score is"),
    ],
)
def test_refusals_come_before_any_work(calibrate: Cli, tmp_path: Path, more: tuple[object, ...], named: str):
    result = calibrate(*more)
    assert result.exit_code == 2, result.stderr
    assert named in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["reliability.png", "calibration.json", "model.json", "images"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_not_ours_is_not_replaced_nor_written_through(calibrate: Cli, tmp_path: Path, name: str, linked: bool):
    out = tmp_path / "out"
    (out / "images" if name != "images" or not linked else out).mkdir(parents=True)
    theirs = tmp_path / "theirs" if linked else out / name
    if name != "images":
        theirs.write_text("mine")
    else:
        theirs.mkdir(exist_ok=True)
        (theirs / "thesis.txt").write_text("mine")
    if linked:
        (out / name).symlink_to(theirs)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    result = calibrate("--judge", "detector")
    assert result.exit_code == 2, result.stderr
    assert "not as semguide wrote it" in result.stderr or "with no other files" in result.stderr
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_offline_a_judge_of_the_hub_is_one_sentence(calibrate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    result = calibrate("--judge", "vqa", "--judge-model", "nobody/nothing")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the model 'nobody/nothing' is neither in the hub's cache nor to be had")
    assert len(result.stderr.strip().splitlines()) == 1
