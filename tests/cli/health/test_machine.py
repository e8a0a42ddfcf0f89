"""Devices, folders and settings as the doctor sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from semguide.cli import health
from semguide.cli.health import machine


def test_the_processor_is_tried_and_described():
    found = {finding.name: finding for finding in health.examine_devices()}
    assert found["cpu"].status == "ok"
    assert "threads" in found["cpu"].detail
    assert "bfloat16" in found["cpu"].detail


def test_a_device_that_fails_at_work_is_a_problem():
    finding = machine._examine_device("cuda:77")
    assert finding.status == "problem"
    assert "matrix product" in finding.detail


def test_a_folder_that_can_be_made_is_fine_and_is_not_made(tmp_path: Path):
    folder = tmp_path / "a" / "b"
    assert machine._examine_folder("hub models", folder, "warning", "set HF_HOME").status == "ok"
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_comes_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(**_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    finding = machine._examine_folder("hub models", tmp_path, "warning", "set HF_HOME")
    assert finding.status == "warning"
    assert finding.detail == f"{tmp_path} cannot be written (Permission denied); set HF_HOME"


def test_settings_are_shown_and_tokens_are_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    found = health.examine_settings()
    assert ("HF_HUB_OFFLINE", "1") in [(finding.name, finding.detail) for finding in found]
    assert "hf_secret" not in str(found)
