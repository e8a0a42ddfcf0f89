"""Rules on foreign pipelines: `steer` for diffusers."""

from typing import Any

from semguide import moved
from semguide.adapters.pipelines.families.registry import ARCHITECTURES
from semguide.adapters.pipelines.steer import Result, SteeredPipeline, steer

__all__ = ["ARCHITECTURES", "Result", "SteeredPipeline", "steer"]


def __getattr__(name: str) -> Any:
    return moved.attribute(__name__, name)
