"""Devices, folders that must be writable, and settings that decide where models come from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from semguide.cli.health.finding import HealthFinding, Status

SETTINGS = (
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "CUDA_VISIBLE_DEVICES",
    "SEMGUIDE_DATA",
)
"""Environment variables that are shown; never tokens."""


def examine_devices() -> list[HealthFinding]:
    """Compute on every device of this machine and state its name and memory. Imports torch."""
    from semguide.models import devices

    return [_examine_device(name) for name in devices() if name != "cuda"]


def _examine_device(name: str) -> HealthFinding:
    import torch

    try:
        product = torch.ones(8, 8, device=name) @ torch.ones(8, 8, device=name)
        right = bool((product == 8).all())
    except Exception as error:  # noqa: BLE001  # drivers raise whatever they like; the doctor reports it
        return HealthFinding("devices", name, "problem", f"fails at a matrix product: {error}")
    if not right:
        return HealthFinding("devices", name, "problem", "computes a wrong matrix product")
    describe: dict[str, Callable[[str], str]] = {"cpu": _describe_cpu, "mps": _describe_mps}
    return HealthFinding("devices", name, "ok", describe.get(name, _describe_cuda)(name))


def _describe_cpu(_name: str) -> str:
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    words = "bfloat16 in hardware" if _native_bf16() else "bfloat16 emulated (slow)"
    return f"{torch.get_num_threads()} threads of {os.cpu_count()} cores, {capability}, {words}"


def _native_bf16() -> bool:
    import torch

    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # a build without oneDNN
        return False


def _describe_cuda(name: str) -> str:
    import torch

    properties = torch.cuda.get_device_properties(name)
    words = "with bfloat16" if torch.cuda.is_bf16_supported() else "without bfloat16"
    return f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB, {words}"


def _describe_mps(_name: str) -> str:
    import torch

    return f"Apple GPU, {torch.mps.recommended_max_memory() / 2**30:.1f} GiB"


def examine_folders() -> list[HealthFinding]:
    """Check that the folders for temporary files, downloaded models and fonts can be written."""
    from huggingface_hub.constants import HF_HUB_CACHE
    from matplotlib import get_cachedir

    return [
        _examine_folder("temporary files", Path(tempfile.gettempdir()), "problem", "set TMPDIR"),
        _examine_folder("hub models", Path(HF_HUB_CACHE), "warning", "set HF_HOME; embedded models work without"),
        _examine_folder("plot fonts", Path(get_cachedir()), "warning", "set MPLCONFIGDIR"),
    ]


def _examine_folder(name: str, folder: Path, without: Status, remedy: str) -> HealthFinding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return HealthFinding("folders", name, "ok", str(folder))
    except OSError as error:
        return HealthFinding("folders", name, without, f"{folder} cannot be written ({error.strerror}); {remedy}")


def examine_settings() -> list[HealthFinding]:
    """State the settings that decide whether and from where models are downloaded."""
    return [HealthFinding("settings", name, "note", os.environ[name]) for name in SETTINGS if name in os.environ] or [
        HealthFinding("settings", "hub", "note", "online, nothing set")
    ]
