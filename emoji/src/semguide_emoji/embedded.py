"""The embedded checkpoints, as the entry points of semguide lead to them; imports no torch."""

from __future__ import annotations

from pathlib import Path

from semguide.evaluation.clip_scorers import ClipPlugin, ImageText
from semguide.evaluation.judging import JUDGE_FILES, Judge, JudgePlugin
from semguide.files import read_json
from semguide.models.catalog import EmbeddedModel
from semguide_emoji import ASSETS


def _config(folder: Path) -> dict[str, object]:
    """Read the config.json of a folder with weights beside it; anything else is an empty one."""
    if not all((folder / name).is_file() for name in JUDGE_FILES):
        return {}
    try:
        value = read_json(folder / "config.json")
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_judge(folder: Path) -> bool:
    return "nouns" in _config(folder)


def _load_judge(folder: Path) -> Judge:
    from semguide_emoji.evaluation.verdict import EmojiJudge
    from semguide_emoji.judge import Judge as Network

    return EmojiJudge(Network.load(folder))


def _is_clip(folder: Path) -> bool:
    return "channels" in _config(folder)


def _load_clip(folder: Path, device: str) -> ImageText:
    from semguide_emoji.evaluation.image_text import EmojiImageText

    return EmojiImageText(folder, device)


UNET = EmbeddedModel("emoji-unet", ASSETS / "emoji-unet", default=True)
FLOW = EmbeddedModel("emoji-flow", ASSETS / "emoji-flow")
TURBO = EmbeddedModel("emoji-turbo", ASSETS / "emoji-turbo")
JUDGE = JudgePlugin("emoji-judge", ASSETS / "emoji-judge", "the pictures of the emoji world", _is_judge, _load_judge)
CLIP = ClipPlugin("emoji-clip", ASSETS / "emoji-clip", _is_clip, _load_clip)
