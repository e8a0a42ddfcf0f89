"""`semguide doctor`: findings, verdict and exit code."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from semguide.cli import doctor as command
from semguide.cli.health import HealthFinding
from semguide.cli.main import app

GOOD = HealthFinding("packages", "torch", "ok", "2.13.0")


WARNING = HealthFinding("folders", "hub models", "warning", "/x cannot be written")


PROBLEM = HealthFinding("checkpoints", "emoji-unet", "problem", "unet/a.safetensors is damaged; reinstall semguide")


def run(monkeypatch: pytest.MonkeyPatch, findings: list[HealthFinding], *options: str):
    monkeypatch.setattr(command, "examine", lambda: findings)
    return CliRunner().invoke(app, ["doctor", *options])


def test_a_healthy_installation_ends_with_zero_and_a_verdict(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Healthy."


def test_a_warning_is_counted_and_still_healthy(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, WARNING])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Healthy, with 1 warning(s): folders hub models."


def test_a_problem_ends_with_one_and_is_named(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, WARNING, PROBLEM])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "Not healthy: 1 problem(s): checkpoints emoji-unet."


def test_json_says_the_same(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, PROBLEM], "--json")
    said = json.loads(result.output)
    assert result.exit_code == 1
    assert said["healthy"] is False
    assert [finding["status"] for finding in said["findings"]] == ["ok", "problem"]


def test_brackets_in_a_finding_are_printed_as_they_are(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [HealthFinding("extras", "web", "note", "run pip 'semguide[web]'")])
    assert "semguide[web]" in result.output


def test_a_missing_package_stops_the_checks_that_would_import_it(monkeypatch: pytest.MonkeyPatch):
    missing = HealthFinding("packages", "torch", "problem", "missing")
    monkeypatch.setattr(command, "examine_packages", lambda: [missing])
    monkeypatch.setattr(command, "examine_devices", lambda: pytest.fail("torch is not there"))
    assert missing in command.examine()


def test_the_command_looks_at_the_scorers_too(monkeypatch: pytest.MonkeyPatch):
    for name in ("examine_packages", "examine_devices", "examine_checkpoints", "examine_extras"):
        monkeypatch.setattr(command, name, list)
    assert {"emoji-clip", "emoji-judge"} <= {finding.name for finding in command.examine()}
