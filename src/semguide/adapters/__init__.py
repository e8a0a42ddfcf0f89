"""Rules on foreign pipelines: `steer` for diffusers."""

from semguide.adapters.pipelines.families.registry import ARCHITECTURES
from semguide.adapters.pipelines.steer import Result, SteeredPipeline, steer

__all__ = ["ARCHITECTURES", "Result", "SteeredPipeline", "steer"]
