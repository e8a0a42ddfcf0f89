"""Rules on foreign pipelines: `steer` for diffusers."""

from semguide.adapters.architectures import ARCHITECTURES
from semguide.adapters.notices import SemguideWarning
from semguide.adapters.pipeline import Result, SteeredPipeline, steer

__all__ = ["ARCHITECTURES", "Result", "SemguideWarning", "SteeredPipeline", "steer"]
