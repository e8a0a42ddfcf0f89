"""The embedded models that score pictures, emoji-clip and emoji-judge: are their files intact, and do they work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from semguide.cli.health.checkpoints import ANEW, PROMPT, finite_bytes
from semguide.cli.health.finding import HealthFinding
from semguide.evaluation.bench.request import EMBEDDED_JUDGE
from semguide.evaluation.bench.scorers import EMBEDDED_CLIP

_SIZE = 64


def examine_scorers(folders: Mapping[str, Path] | None = None) -> list[HealthFinding]:
    """Check files and one use of each model. Imports torch.

    Args:
        folders: Folder of emoji-clip and of emoji-judge, by name; None: the embedded ones.
    """
    from semguide.models.catalog import ASSETS

    found = {name: ASSETS / name for name in _USES} if folders is None else folders
    findings: list[HealthFinding] = []
    for name, path in found.items():
        findings.append(_examine_files(name, path))
        if findings[-1].status == "ok":
            findings.append(_examine_use(name, path))
    return findings


def _examine_files(name: str, path: Path) -> HealthFinding:
    try:
        size = finite_bytes(path / "model.safetensors")
    except (OSError, ValueError) as error:
        return HealthFinding("checkpoints", name, "problem", f"{error}; {ANEW}")
    return HealthFinding("checkpoints", name, "ok", f"1 file, {size / 2**20:.1f} MiB, intact")


def _examine_use(name: str, path: Path) -> HealthFinding:
    try:
        detail = _USES[name](path)
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
    """Look for objects in a picture; raises ValueError where what is found is not finite."""
    import torch

    from semguide.models.judge import Judge

    with torch.inference_mode():
        found = Judge.load(path)(torch.zeros(1, 3, _SIZE, _SIZE))
    if not all(part.isfinite().all() for part in found):
        raise ValueError("what it finds in a picture is not finite")
    return "a picture looked at"


_USES: Mapping[str, Callable[[Path], str]] = {EMBEDDED_CLIP: _compare, EMBEDDED_JUDGE: _judge}
