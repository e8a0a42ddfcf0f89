"""The embedded judge and CLIP are looked at and used once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semguide.cli import health
from support.plugins import Install


@pytest.fixture
def scorers(tmp_path: Path, installed: Install) -> dict[str, Path]:
    """Copies of the embedded emoji-clip, with the text tower that it borrows, and emoji-judge."""
    import shutil

    from semguide_emoji import ASSETS
    from semguide_emoji.embedded import CLIP, JUDGE

    for name in ("emoji-clip", "emoji-judge", "emoji-unet/text_encoder", "emoji-unet/tokenizer"):
        shutil.copytree(ASSETS / name, tmp_path / name)
    installed("semguide.clip_scorers", emoji_clip=replace(CLIP, folder=tmp_path / "emoji-clip"))
    installed("semguide.judges", emoji_judge=replace(JUDGE, folder=tmp_path / "emoji-judge"))
    return {name: tmp_path / name for name in ("emoji-clip", "emoji-judge")}


def test_the_embedded_scorers_are_intact_and_work():
    findings = health.examine_scorers()
    assert [finding.name for finding in findings] == [
        "emoji-clip",
        "emoji-clip: one use",
        "emoji-judge",
        "emoji-judge: one use",
    ]
    assert {finding.status for finding in findings} == {"ok"}, findings


@pytest.mark.parametrize("name", ["emoji-clip", "emoji-judge"])
def test_a_truncated_scorer_is_named_and_not_used(name: str, scorers: dict[str, Path]):
    file = scorers[name] / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    (finding,) = [finding for finding in health.examine_scorers() if finding.status != "ok"]
    assert (finding.name, finding.status) == (name, "problem")
    assert f"{name}/model.safetensors is damaged" in finding.detail
    assert finding.detail.endswith("install the embedded models anew")


def test_an_emoji_clip_without_its_text_tower_is_a_problem(scorers: dict[str, Path]):
    import shutil

    shutil.rmtree(scorers["emoji-clip"].parent / "emoji-unet")
    findings = {finding.name: finding for finding in health.examine_scorers()}
    assert findings["emoji-clip"].status == "ok"
    assert findings["emoji-clip: one use"].status == "problem"
    assert "must lie beside emoji-unet" in findings["emoji-clip: one use"].detail


def test_a_judge_that_is_not_there_is_a_problem(scorers: dict[str, Path]):
    (scorers["emoji-judge"] / "model.safetensors").unlink()
    (finding,) = [finding for finding in health.examine_scorers() if finding.status != "ok"]
    assert finding.status == "problem"
