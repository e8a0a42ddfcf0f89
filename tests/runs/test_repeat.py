import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semguide.errors import InvalidArgument, SemguideError
from semguide.files import write_json
from semguide.runs.environment import Environment
from semguide.runs.folder import RunFolder
from semguide.runs.records import describe_run
from semguide.runs.repeat import RecordedRun, compare_pixels, plan_repeat, read_recorded_run
from semguide.runs.request import Request, plan_run
from semguide.runs.run import Run
from support.refusals import refuses

HERE = Environment("hash", {"python": "3"}, "float32", "x86_64 AVX2", 1)


def record(pixels: str) -> dict:
    return {"key": "key", "evaluations": 4, "seconds": 0.1, "alignment": None, "pixels": pixels}


@pytest.fixture
def run(tiny: Path) -> Run:
    return plan_run(Request("a red book", str(tiny), method="cfg", num_images=2, num_inference_steps=2)).run


@pytest.fixture
def recorded(run: Run, tmp_path: Path) -> RecordedRun:
    records = {("cfg", seed): record(f"sha256:{seed}") for seed in run.seeds}
    (tmp_path / "run").mkdir()
    write_json(tmp_path / "run" / "run.json", describe_run(run, HERE, records, complete=True))
    return read_recorded_run(tmp_path / "run")


def test_a_repeat_is_the_recorded_run(recorded: RecordedRun, run: Run):
    assert plan_repeat(recorded, None, None, None).run == run
    assert recorded.changes(HERE) == []


def test_a_model_given_for_the_repeat_stands_in_the_place_of_the_recorded_one(
    recorded: RecordedRun, run: Run, tiny: Path, tmp_path: Path
):
    moved = tmp_path / "moved"
    shutil.copytree(tiny, moved)
    planned = plan_repeat(recorded, str(moved), None, None)
    assert planned.run == replace(run, model=str(moved))
    assert planned.model.path == moved


def test_the_folder_of_the_recorded_run_is_refused_for_the_repeat(recorded: RecordedRun):
    with pytest.raises(InvalidArgument, match="another folder"):
        plan_repeat(recorded, None, None, recorded.folder)


def test_an_edited_run_json_is_noticed(recorded: RecordedRun):
    recorded.description["run"]["prompt"] = "a blue book"
    assert recorded.changes(HERE) == ["the run: its file was edited"]


def test_images_are_compared_pixel_for_pixel_with_the_recorded_ones(recorded: RecordedRun, run: Run, tmp_path: Path):
    folder = RunFolder(tmp_path / "repeat", run, HERE, records={("cfg", 0): record("sha256:0")})
    assert compare_pixels(recorded, folder) == "1 of 1 images compared with the record: all equal, bit for bit"
    folder.records["cfg", 1] = record("sha256:other")
    with pytest.raises(SemguideError, match=r"1 of 2 repeated images differ from the recorded ones \(cfg-1\)"):
        compare_pixels(recorded, folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda run: run.update(seeds=["x"]), "run.seeds must be a int in "),
        (lambda run: run["sampling"].update(height=None), "run.sampling.height must be a int in "),
        (lambda run: run["methods"][0].update(parameters=[1]), "run.methods.parameters must be a dict in "),
        (lambda run: run.update(prompt="x" * 10_001), "prompt must be at most 10000 characters in "),
        (
            lambda run: run["sampling"].update(num_inference_steps=5000),
            "num_inference_steps must be from 1 to 1000 in ",
        ),
        (lambda run: run.update(model="nowhere"), "model must be "),
    ],
)
def test_a_wrong_value_is_named_with_its_field_and_file(recorded: RecordedRun, change: Any, named: str):
    change(recorded.description["run"])
    with pytest.raises(InvalidArgument) as caught:
        plan_repeat(recorded, None, None, None)
    assert str(caught.value).startswith(named)
    assert f" in {recorded.file}, got " in str(caught.value)


def test_a_wrong_model_that_was_given_is_not_said_of_the_file(recorded: RecordedRun):
    with pytest.raises(InvalidArgument) as caught:
        plan_repeat(recorded, "nowhere", None, None)
    assert "run.json" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[" * 99_999, "", "[]", "nul", '{"format": NaN}', '{"format": "\\ud800"}', "9" * 5000]
)
def test_a_file_that_is_no_run_json_is_refused(tmp_path: Path, text: str):
    (tmp_path / "run.json").write_text(text)
    with refuses("from_file", "must be a run.json", tmp_path / "run.json"):
        read_recorded_run(tmp_path)


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        ("x", "images must be a list, got 'x'"),
        ([3], "images must have objects, got 3"),
        ([{"method": [], "seed": 0, "pixels": ""}], "images.method must be a str, got []"),
        ([{"method": "cfg", "pixels": ""}], "images.seed must be a int, got nothing"),
        ([{"method": "cfg", "seed": True, "pixels": ""}], "images.seed must be a int, got True"),
        ([{"method": "cfg", "seed": 0, "pixels": None}], "images.pixels must be a str, got nothing"),
    ],
)
def test_a_broken_list_of_images_is_named_with_its_field_and_file(recorded: RecordedRun, images: Any, problem: str):
    recorded.description["images"] = images
    with refuses("from_file", f"must be a run.json as semguide wrote it ({problem})", recorded.file):
        plan_repeat(recorded, None, None, None)
