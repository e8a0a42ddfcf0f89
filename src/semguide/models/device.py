"""Choose a torch device of this machine."""

from __future__ import annotations

from semguide.errors import InvalidArgument


def devices() -> list[str]:
    """List the devices there are, best first: cuda (and cuda:0, ...), mps, cpu. Imports torch."""
    import torch

    found = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def _why_no_cuda() -> str:
    """Return what to do where a CUDA device is asked for and not there, "" where others are."""
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {torch.__version__} is built for the CPU only: install a build for CUDA (pytorch.org)"
    return "" if torch.cuda.is_available() else "torch sees no GPU: look at nvidia-smi and CUDA_VISIBLE_DEVICES"


def choose_device(name: str = "auto") -> str:
    """Return the device to use.

    Args:
        name: A device of `devices()`, or "auto" for the best one.

    Raises:
        InvalidArgument: The device is not there; the message lists those that are.
    """
    there = devices()
    if name == "auto":
        return there[0]
    if name not in there:
        rule = f"must be auto or a device of this machine ({', '.join(there)})"
        raise InvalidArgument("device", rule, name, _remedy(name, there))
    return name


def _remedy(name: str, there: list[str]) -> str:
    typed = name.strip().lower()
    if typed in there:
        return f"did you mean {typed!r}?"
    return _why_no_cuda() if typed.startswith(("cuda", "gpu")) else ""
