"""Packages that are missing, too old or broken come with their remedy."""

from __future__ import annotations

import pytest

from semguide.cli import health
from semguide.cli.health import HealthFinding, packages


def test_every_requirement_of_this_environment_is_found():
    statuses = {finding.name: finding.status for finding in health.examine_packages()}
    assert {"semguide", "torch", "diffusers", "transformers"} <= set(statuses)
    assert set(statuses.values()) == {"ok"}


def test_a_package_that_is_missing_or_too_old_comes_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "requires", lambda _name: ["no-such-package>=1", "torch>=99", "rich<1"])
    found = {finding.name: finding for finding in health.examine_packages()}
    assert found["no-such-package"].detail == "missing: pip install 'no-such-package>=1'"
    assert "but >=99 is needed: pip install 'torch>=99'" in found["torch"].detail
    assert {found[name].status for name in ("no-such-package", "torch", "rich")} == {"problem"}


def test_an_extra_that_is_not_there_is_a_note_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "requires", lambda _name: ['no-such-package>=1; extra == "spacy"'])
    found = {finding.name: finding for finding in health.examine_extras()}
    assert found["spacy"] == HealthFinding(
        "extras", "spacy", "note", "lacks no-such-package: pip install '.[spacy]' in a clone of semguide's repository"
    )


def test_a_python_out_of_range_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages.platform, "python_version", lambda: "3.9.1")
    assert health.examine_python()[0].status == "problem"


def test_a_torchvision_that_does_not_load_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    def refuse(_name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(packages.importlib, "import_module", refuse)
    (finding,) = packages._examine_torchvision()
    assert finding.status == "problem"
    assert "pip uninstall torchvision" in finding.detail
