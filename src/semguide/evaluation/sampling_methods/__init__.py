"""Sampling methods: what `semguide bench` compares with the guidance rules, by name."""

from semguide.evaluation.sampling_methods.apg_denoised import APGDenoised
from semguide.evaluation.sampling_methods.attend_excite import AttendExcite
from semguide.evaluation.sampling_methods.base import (
    SampledImage,
    SampleFunction,
    SamplingMethod,
    SamplingOptions,
    sample_with_rule,
)
from semguide.evaluation.sampling_methods.best_of import BestOfCLIP, BestOfDetector, BestOfRejection, Retry
from semguide.evaluation.sampling_methods.co3 import CO3
from semguide.evaluation.sampling_methods.fk_steering import FKSteering
from semguide.evaluation.sampling_methods.focus import Focus
from semguide.evaluation.sampling_methods.guider import Guider
from semguide.evaluation.sampling_methods.pag import PAG
from semguide.evaluation.sampling_methods.syngen import SynGen

_METHODS: tuple[type[SamplingMethod], ...] = (
    CO3,
    AttendExcite,
    SynGen,
    Focus,
    BestOfDetector,
    BestOfRejection,
    BestOfCLIP,
    Retry,
    FKSteering,
    PAG,
    APGDenoised,
    Guider,
)
SAMPLING_METHODS: dict[str, type[SamplingMethod]] = {method.name: method for method in _METHODS}
"""Sampling method by name; no name is that of a rule in `semguide.guidance.METHODS`."""

__all__ = [
    "SAMPLING_METHODS",
    "SampleFunction",
    "SampledImage",
    "SamplingMethod",
    "SamplingOptions",
    "sample_with_rule",
]
