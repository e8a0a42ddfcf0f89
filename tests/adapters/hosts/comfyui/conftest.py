"""The stand-in for ComfyUI, for the time of a test."""

from __future__ import annotations

from typing import Any

import pytest

from support.comfyui import standin


@pytest.fixture
def samplers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the stand-in for comfy.samplers, installed."""
    return standin.install(monkeypatch)
