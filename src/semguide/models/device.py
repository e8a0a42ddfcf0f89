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
        raise InvalidArgument("device", f"must be auto or a device of this machine ({', '.join(there)})", name)
    return name
