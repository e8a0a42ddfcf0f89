"""Start several seeds, finish those that promise most."""

from semguide.best_of.best_of import Candidate, Selection, best_of
from semguide.best_of.criteria import Criterion, DetectorScore, GuidanceEnergy
from semguide.best_of.partial_run import PartialRun

__all__ = ["Candidate", "Criterion", "DetectorScore", "GuidanceEnergy", "PartialRun", "Selection", "best_of"]
