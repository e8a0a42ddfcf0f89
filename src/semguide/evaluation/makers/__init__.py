"""Makers: benchmark methods that are no guidance rule, by their name on the command line."""

from semguide.evaluation.makers.maker import MakeOne, SampledImage, SamplingMethod, SamplingOptions
from semguide.evaluation.makers.registry import MAKERS, get_maker
from semguide.evaluation.makers.rules import by_rule

__all__ = ["MAKERS", "MakeOne", "SampledImage", "SamplingMethod", "SamplingOptions", "by_rule", "get_maker"]
