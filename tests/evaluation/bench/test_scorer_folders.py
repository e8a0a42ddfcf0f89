import json
from pathlib import Path

from semguide.evaluation.bench.scorer_folders import ScorerRequest, find_scorers
from semguide.models import SourceKind
from semguide_emoji import ASSETS
from support.refusals import refuses


def folder(path: Path, config: dict, weights: str = "model.safetensors") -> str:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / weights).write_text("w")
    return str(path)


def test_the_embedded_clip_scores_the_embedded_models_unless_told_otherwise():
    found = find_scorers(ScorerRequest(), SourceKind.EMBEDDED)
    assert found.paths() == {"clip": str(ASSETS / "emoji-clip"), "vqa": "", "blip_vqa": ""}
    assert find_scorers(ScorerRequest(), SourceKind.FOLDER).clip is None
    assert find_scorers(ScorerRequest(clip="none"), SourceKind.EMBEDDED).clip is None


def test_hashes_follow_contents(tmp_path: Path):
    clip = folder(tmp_path / "clip", {"model_type": "clip"})
    before = find_scorers(ScorerRequest(clip=clip), SourceKind.HUB).identity()
    assert before["vqa"] is before["blip_vqa"] is None
    (tmp_path / "clip" / "model.safetensors").write_text("other")
    after = find_scorers(ScorerRequest(clip=clip), SourceKind.HUB).identity()
    assert str(before["clip"]).startswith("sha256:")
    assert before["clip"] != after["clip"]


def test_models_of_another_kind_are_refused(tmp_path: Path):
    blip = folder(tmp_path / "blip", {"model_type": "blip", "architectures": ["BlipForConditionalGeneration"]})
    pickled = folder(tmp_path / "pickled", {"model_type": "clip"}, "pytorch_model.bin")
    for name in (blip, pickled):
        with refuses("clip", "must be a folder with config.json and safetensors"):
            find_scorers(ScorerRequest(clip=name), SourceKind.FOLDER)
    with refuses("vqa"):
        find_scorers(ScorerRequest(vqa=blip), SourceKind.FOLDER)
    with refuses("blip_vqa", "must be a folder"):
        find_scorers(ScorerRequest(blip_vqa="nowhere"), SourceKind.FOLDER)
