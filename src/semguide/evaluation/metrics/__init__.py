"""What can be said of an image without a judge: text-image similarity, questions answered, diversity, distance."""

from semguide.evaluation.metrics.scorer import COLUMNS, Scorer, Scorers

__all__ = ["COLUMNS", "Scorer", "Scorers"]
