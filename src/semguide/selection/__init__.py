"""Start several seeds, finish those that promise most."""

from semguide.selection.best_of import Candidate, Selection, best_of
from semguide.selection.criteria import Criterion, DetectorScore, GuidanceEnergy
from semguide.selection.partial_run import PartialRun

__all__ = ["Candidate", "Criterion", "DetectorScore", "GuidanceEnergy", "PartialRun", "Selection", "best_of"]
