"""The environment of a run: checkpoint hash, package versions, dtype, processor."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from semguide.models import LoadOptions, fingerprint

PACKAGES = ("semguide", "torch", "diffusers", "transformers", "numpy")


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment in which a run is generated.

    Attributes:
        checkpoint: Content hash of the checkpoint, its LoRAs and embeddings.
        versions: Versions of Python and of packages, by name.
        dtype: dtype of the weights.
        processor: Machine and instruction set that torch uses.
        threads: Threads of torch; the rounding of sums depends on it.
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
        """Return the part that the images of one run must share: all but processor and threads."""
        return {"checkpoint": self.checkpoint, "versions": self.versions, "dtype": self.dtype}


def processor() -> str:
    """Return the machine, and the instruction set that torch uses. Imports torch."""
    import torch

    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def current_environment(checkpoint: Path, loading: LoadOptions | None = None) -> Environment:
    """Return the environment of this process. Imports torch.

    Args:
        checkpoint: The checkpoint: a folder or a file.
        loading: How it is loaded; None: by the defaults.
    """
    import torch

    return Environment(
        checkpoint=fingerprint(checkpoint, loading),
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        dtype=(loading or LoadOptions()).resolved.dtype,
        processor=processor(),
        threads=torch.get_num_threads(),
    )


def describe_differences(recorded: Any, current: Environment) -> list[str]:
    """List how an environment differs from a recorded one, a phrase each.

    Args:
        recorded: JSON values of the recorded one; anything but an object counts as empty.
        current: The environment.
    """
    recorded = recorded if isinstance(recorded, dict) else {}
    now = current.to_json()
    flat_recorded = {**recorded, **_versions(recorded)}
    flat_current = {**now, **_versions(now)}
    keys = [key for key in flat_current if key != "versions"]
    return [
        f"{key} was {flat_recorded.get(key)}, is {flat_current[key]}"
        for key in keys
        if flat_recorded.get(key) != flat_current[key]
    ]


def _versions(environment: dict[str, Any]) -> dict[str, Any]:
    versions = environment.get("versions")
    return versions if isinstance(versions, dict) else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
