"""Where fitted scores are kept and found."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

from semguide.models import describe, embedded
from semguide.models.calibrations import (
    Calibration,
    any_calibration,
    calibration_file,
    data_folder,
    find_calibration,
    read_calibration,
)
from semguide.models.weights import folder_weights_fingerprint
from support.refusals import refuses

NUMBERS = (1.0, 0.5)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMGUIDE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_written_calibration_is_found_by_its_fingerprint(data: Path) -> None:
    file = calibration_file("a" * 32)
    assert file.parent.parent == data
    file.parent.mkdir(parents=True)
    written = Calibration("a" * 32, *NUMBERS, {"suite": "own"})
    written.write(file)
    assert any_calibration()
    assert find_calibration("a" * 32) == written
    assert find_calibration("b" * 32) is None
    assert written.probabilities([-2.0, 0.0, -1e9]) == pytest.approx([0.5, 1 / (1 + math.exp(-1)), 0.0])


def test_the_shipped_checkpoints_have_theirs(data: Path) -> None:
    for model in embedded().values():
        if describe(model.name).guidance_scale == 1:  # the score speaks of guidance
            continue
        fingerprint = folder_weights_fingerprint(model.path)
        assert fingerprint is not None
        found = find_calibration(fingerprint)
        assert found is not None
        assert found.fitted_on["model"] == model.name


def test_the_users_own_comes_before_a_shipped_one(data: Path) -> None:
    fingerprint = folder_weights_fingerprint(next(iter(embedded().values())).path) or ""
    file = calibration_file(fingerprint)
    file.parent.mkdir(parents=True)
    Calibration(fingerprint, *NUMBERS).write(file)
    found = find_calibration(fingerprint)
    assert found is not None
    assert (found.intercept, found.slope) == NUMBERS


@pytest.mark.parametrize(
    "broken", ["{", "[]", '{"format": "other"}', '{"format": "semguide-calibration", "version": 3}']
)
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, broken: str) -> None:
    (tmp_path / "broken.json").write_text(broken)
    with refuses("calibration", "must be a file of semguide calibrate"):
        read_calibration(tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"slope": True}, "slope must be a float, got True"),
        ({"intercept": "1.5"}, "intercept must be a float, got '1.5'"),
        ({"fingerprint": 3}, "fingerprint must be a str, got 3"),
        ({"fitted_on": []}, "fitted_on must be a dict, got []"),
        ({"version": None}, "version must be 2, got None"),
        ({"format": {}}, "format must be 'semguide-calibration', got {}"),
    ],
)
def test_a_value_of_another_kind_is_named_with_field_and_file(tmp_path: Path, change: dict, problem: str) -> None:
    file = tmp_path / "one.json"
    Calibration("a" * 32, *NUMBERS).write(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with refuses("calibration", f"must be a file of semguide calibrate (version 2; {problem})", file):
        read_calibration(file)


def test_a_fit_of_the_earlier_score_is_refused_in_one_sentence_that_says_to_calibrate_again(tmp_path: Path) -> None:
    numbers = {"intercept": 3.11, "cosine": -1.55, "relative": 3.89, "stop": 0.33}
    content = {"format": "semguide-calibration", "version": 1, "fingerprint": "a" * 32, "detector": numbers}
    (tmp_path / "old.json").write_text(json.dumps({**content, "fitted_on": {}}))
    with refuses("calibration", "must be a fit of the score that semguide has now") as caught:
        read_calibration(tmp_path / "old.json")
    assert "run semguide calibrate again" in str(caught.value)


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    Calibration("a" * 32, *NUMBERS).write(tmp_path / "one.json")
    content = json.loads((tmp_path / "one.json").read_text())
    content["slope"] = float("nan")
    (tmp_path / "one.json").write_text(json.dumps(content))
    with refuses("calibration"):
        read_calibration(tmp_path / "one.json")


@pytest.mark.skipif(sys.platform != "linux", reason="of the platform")
def test_without_a_named_folder_the_platforms_own_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SEMGUIDE_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "semguide"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert data_folder() == Path.home() / ".local/share/semguide"
