"""Start several seeds, finish those that promise most; or one after another, until one promises enough."""

from semguide.selection.best_of import Candidate, Selection, best_of
from semguide.selection.criteria import Criterion, DetectorScore, GuidanceEnergy, SignalScore
from semguide.selection.partial_run import PartialRun
from semguide.selection.retries import retry

__all__ = [
    "Candidate",
    "Criterion",
    "DetectorScore",
    "GuidanceEnergy",
    "PartialRun",
    "Selection",
    "SignalScore",
    "best_of",
    "retry",
]
