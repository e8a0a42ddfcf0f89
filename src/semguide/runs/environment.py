"""What else decides an image besides the run: versions, checkpoint, dtype, processor."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from semguide.models import fingerprint

PACKAGES = ("semguide", "torch", "diffusers", "transformers", "numpy")
DTYPE = "float32"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a run was made.

    Attributes:
        checkpoint: Content hash of the checkpoint folder.
        versions: Version by package, and Python's.
        dtype: dtype of the weights.
        processor: Machine and instruction set that torch uses.
        threads: Threads of torch; another number may round sums otherwise.
    """

    checkpoint: str
    versions: dict[str, str]
    dtype: str
    processor: str
    threads: int

    def to_json(self) -> dict[str, Any]:
        """Return the environment as JSON values."""
        return asdict(self)

    def identity(self) -> dict[str, Any]:
        """Return the part that says whether two images may stand in one run: all but processor and threads."""
        return {"checkpoint": self.checkpoint, "versions": self.versions, "dtype": self.dtype}


def observe(checkpoint: Path) -> Environment:
    """Describe this machine and a checkpoint folder on it. Imports torch."""
    import torch

    return Environment(
        checkpoint=fingerprint(checkpoint),
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        dtype=DTYPE,
        processor=f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        threads=torch.get_num_threads(),
    )


def differences(recorded: Any, here: Environment) -> list[str]:
    """List how this environment differs from a recorded one, one phrase each."""
    recorded = recorded if isinstance(recorded, dict) else {}
    now = here.to_json()
    flat_then = {**recorded, **_versions(recorded)}
    flat_now = {**now, **_versions(now)}
    keys = [key for key in flat_now if key != "versions"]
    return [
        f"{key} was {flat_then.get(key)}, is {flat_now[key]}" for key in keys if flat_then.get(key) != flat_now[key]
    ]


def _versions(environment: dict[str, Any]) -> dict[str, Any]:
    versions = environment.get("versions")
    return versions if isinstance(versions, dict) else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
