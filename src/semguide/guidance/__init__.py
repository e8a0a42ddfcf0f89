"""Guidance rules, about one sample at a time. Torch only: nothing here knows diffusers."""

from semguide.guidance.methods import METHODS, get_method, register_rule
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step
from semguide.guidance.rules import (
    APG,
    CDG,
    CFG,
    SEGA,
    SGT,
    BalancedSGT,
    CFGZeroStar,
    CO3Composition,
    Composable,
    PerpNeg,
    Personalization,
    SGTv1,
    SGTv2,
)
from semguide.guidance.session import FiniteCheck, Observer, RuleSession, Watcher, idle_warning
from semguide.guidance.trace import Trace
from semguide.guidance.window import Window

__all__ = [
    "APG",
    "CDG",
    "CFG",
    "METHODS",
    "SEGA",
    "SGT",
    "BalancedSGT",
    "CFGZeroStar",
    "CO3Composition",
    "Composable",
    "Correction",
    "FiniteCheck",
    "Observer",
    "PerpNeg",
    "Personalization",
    "Predictions",
    "Rule",
    "RuleSession",
    "SGTv1",
    "SGTv2",
    "Step",
    "Trace",
    "Watcher",
    "Window",
    "get_method",
    "idle_warning",
    "parameter",
    "register_rule",
]
