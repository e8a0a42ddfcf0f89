"""What diffusers does that others discourage: not to fail a test for."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Ignore what diffusers does that others discourage: its schedulers' arrays, parts of Kolors, Flux and Mochi."""
    for message in ("__array__ implementation", "__array_wrap__ must accept", ".torch.jit.script. is deprecated"):
        item.add_marker(pytest.mark.filterwarnings(f"ignore:{message}:DeprecationWarning"))
    item.add_marker(pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning"))
    item.add_marker(
        pytest.mark.filterwarnings("ignore:In CPU autocast, but the target dtype is not supported:UserWarning")
    )
