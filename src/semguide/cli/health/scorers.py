"""The embedded models that score pictures, CLIPs and judges: are their files intact, and do they work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from semguide import plugins
from semguide.cli.health.checkpoints import ANEW, PROMPT, finite_bytes
from semguide.cli.health.finding import HealthFinding
from semguide.evaluation import clip_scorers, judging

_SIZE = 64


def examine_scorers() -> list[HealthFinding]:
    """Check files and one use of each installed CLIP and judge. Imports torch."""
    findings: list[HealthFinding] = []
    for group, use in ((clip_scorers.GROUP, _compare), (judging.GROUP, _judge)):
        for name, plugin in plugins.load_all(group).items():
            findings.append(_examine_files(name, plugin.folder))
            if findings[-1].status == "ok":
                findings.append(_examine_use(name, plugin.folder, use))
    return findings


def _examine_files(name: str, path: Path) -> HealthFinding:
    try:
        size = finite_bytes(path / "model.safetensors")
    except (OSError, ValueError) as error:
        return HealthFinding("checkpoints", name, "problem", f"{error}; {ANEW}")
    return HealthFinding("checkpoints", name, "ok", f"1 file, {size / 2**20:.1f} MiB, intact")


def _examine_use(name: str, path: Path, use: Callable[[Path], str]) -> HealthFinding:
    try:
        detail = use(path)
    except Exception as error:  # noqa: BLE001  # whatever stops it is the finding
        return HealthFinding("checkpoints", f"{name}: one use", "problem", f"{type(error).__name__}: {error}; {ANEW}")
    return HealthFinding("checkpoints", f"{name}: one use", "ok", detail)


def _compare(path: Path) -> str:
    """Compare a text and a picture; raises ValueError where there is no cosine of them."""
    from PIL import Image

    from semguide.evaluation.metrics.clip import load_clip

    clip = load_clip(path, "cpu")
    cosine = float(clip.texts([PROMPT])[0] @ clip.image(Image.new("RGB", (_SIZE, _SIZE), "red")))
    if not abs(cosine) <= 1.001:
        raise ValueError(f"the cosine of a text and a picture is {cosine}")
    return "a text and a picture compared"


def _judge(path: Path) -> str:
    from PIL import Image

    found = judging.load_judge(path).look(Image.new("RGB", (_SIZE, _SIZE)))
    if not all(0 <= finding.confidence <= 1 for finding in found):
        raise ValueError("what it finds in a picture is not finite")
    return "a picture looked at"
