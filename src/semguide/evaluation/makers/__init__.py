"""Makers: benchmark methods that are no guidance rule, by their name on the command line."""

from semguide.evaluation.makers.maker import ImageMaker, Made, MakeOne, Sampling
from semguide.evaluation.makers.registry import MAKERS, get_maker
from semguide.evaluation.makers.rules import by_rule

__all__ = ["MAKERS", "ImageMaker", "Made", "MakeOne", "Sampling", "by_rule", "get_maker"]
