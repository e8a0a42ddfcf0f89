"""Rules on foreign pipelines: `steer` for diffusers."""

from semguide.adapters.architectures import ARCHITECTURES
from semguide.adapters.criteria import Criterion, GuidanceEnergy, Promising
from semguide.adapters.notices import SemguideWarning
from semguide.adapters.pipeline import Result, SteeredPipeline, steer
from semguide.adapters.selection import Candidate, Selection, best_of
from semguide.adapters.start import Start

__all__ = [
    "ARCHITECTURES",
    "Candidate",
    "Criterion",
    "GuidanceEnergy",
    "Promising",
    "Result",
    "Selection",
    "SemguideWarning",
    "Start",
    "SteeredPipeline",
    "best_of",
    "steer",
]
