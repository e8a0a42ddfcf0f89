"""The embedded checkpoints: are their files intact, and does one step of the main job run on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semguide import plugins
from semguide.cli.health.finding import HealthFinding
from semguide.errors import MissingExtra, SemguideError

PROMPT = "a red car and a blue apple"
ANEW = "install the embedded models anew"


def examine_checkpoints(folders: dict[str, Path] | None = None, generate: bool = True) -> list[HealthFinding]:
    """Check the embedded checkpoints. Imports torch.

    Args:
        folders: Checkpoint folder by name; None: the embedded ones.
        generate: Also run one step of the main job on each intact one.
    """
    from semguide.models import embedded

    found = {name: model.path for name, model in embedded().items()} if folders is None else folders
    if not found:
        return [HealthFinding("checkpoints", "embedded", "note", plugins.EMBEDDED)]
    findings: list[HealthFinding] = []
    for name, path in found.items():
        findings.append(_examine_files(name, path))
        if generate and findings[-1].status == "ok":
            findings.append(_examine_step(name, path))
    return findings


def _examine_files(name: str, path: Path) -> HealthFinding:
    from semguide.models.derived import weight_files
    from semguide.models.folder import components, read_index
    from semguide.models.single_file import open_checkpoint

    try:
        configuration, pipeline_class = open_checkpoint(path, None)
        weights = sorted(path.glob("*.safetensors"))
        for component in components(read_index(configuration)):
            weights += weight_files(configuration, component)
        size = sum(finite_bytes(file) for file in weights)
    except (SemguideError, OSError, ValueError) as error:
        return HealthFinding("checkpoints", name, "problem", f"{error}; {ANEW}")
    return HealthFinding(
        "checkpoints", name, "ok", f"{pipeline_class}, {len(weights)} files, {size / 2**20:.1f} MiB, intact"
    )


def finite_bytes(file: Path) -> int:
    """Read all tensors of a file; returns its size in bytes, raises ValueError where it is damaged."""
    import torch
    from safetensors import SafetensorError, safe_open

    where = f"{file.parent.name}/{file.name}"
    try:
        with safe_open(file, framework="pt") as tensors:
            broken = [key for key in tensors.keys() if not torch.isfinite(tensors.get_tensor(key).float()).all()]  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{where} is damaged ({error})") from error
    if broken:
        raise ValueError(f"{where} has values that are not finite in {broken[0]}")
    return file.stat().st_size


def _examine_step(name: str, path: Path) -> HealthFinding:
    """Run one step of the main job: decompose, steer, decode."""
    try:
        spread, concepts = _one_step(path)
    except MissingExtra as error:
        return HealthFinding("checkpoints", f"{name}: one step", "note", str(error))
    except Exception as error:  # noqa: BLE001  # whatever stops the main job is the finding
        return HealthFinding("checkpoints", f"{name}: one step", "problem", f"{type(error).__name__}: {error}")
    if not spread > 0:
        return HealthFinding(
            "checkpoints", f"{name}: one step", "problem", "the image has one colour only or is not finite"
        )
    return HealthFinding("checkpoints", f"{name}: one step", "ok", f"an image with {concepts} concepts steered")


def _one_step(path: Path) -> tuple[float, int]:
    """Return the spread of the values of an image made in one step, and the number of its concepts."""
    import torch

    from semguide.adapters import steer
    from semguide.cli.console import hush_libraries
    from semguide.guidance import BalancedSGT
    from semguide.models import load

    hush_libraries()
    pipe: Any = load(str(path), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    result: Any = steer(pipe, BalancedSGT())(
        PROMPT, num_inference_steps=1, generator=torch.Generator().manual_seed(0), output_type="np"
    )
    return float(result.images[0].max() - result.images[0].min()), len(result.trace.concepts[0])
