"""Keep text-to-image diffusion true to every concept in the prompt.

>>> from semguide import decompose
>>> [concept.text for concept in decompose("a red book and a yellow vase")]
['a red book', 'a yellow vase']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from semguide import moved

if TYPE_CHECKING:
    from semguide.adapters import Result, SteeredPipeline, steer
    from semguide.adapters.guiders.guider import SemanticGuidance
    from semguide.adapters.guiders.modular import SemanticConceptsStep, with_semantic_guidance
    from semguide.concepts import decompose
    from semguide.concepts.edits import Edit, Edits
    from semguide.errors import (
        GuidanceNotApplied,
        InvalidArgument,
        MissingExtra,
        NotFinite,
        SemguideError,
        SemguideWarning,
        UnsupportedPipeline,
    )
    from semguide.guidance import (
        APG,
        CDG,
        CFG,
        SEGA,
        SGT,
        BalancedSGT,
        CFGZeroStar,
        CO3Composition,
        Composable,
        Correction,
        PerpNeg,
        Personalization,
        Predictions,
        Rule,
        SGTv1,
        SGTv2,
        Step,
        Trace,
        parameter,
        register_rule,
    )
    from semguide.selection import Selection, best_of, retry
    from semguide.types import Concept

    __version__: str

moved.install()

_HOMES = {
    "register_rule": "guidance",
    "parameter": "guidance",
    "Step": "guidance",
    "Rule": "guidance",
    "Predictions": "guidance",
    "Correction": "guidance",
    "APG": "guidance",
    "CDG": "guidance",
    "CFG": "guidance",
    "CFGZeroStar": "guidance",
    "CO3Composition": "guidance",
    "Composable": "guidance",
    "Concept": "types",
    "Edit": "concepts.edits",
    "Edits": "concepts.edits",
    "GuidanceNotApplied": "errors",
    "InvalidArgument": "errors",
    "MissingExtra": "errors",
    "NotFinite": "errors",
    "PerpNeg": "guidance",
    "Personalization": "guidance",
    "Result": "adapters",
    "SEGA": "guidance",
    "SGT": "guidance",
    "BalancedSGT": "guidance",
    "SGTv1": "guidance",
    "SGTv2": "guidance",
    "Selection": "selection",
    "SemanticConceptsStep": "adapters.guiders.modular",
    "SemanticGuidance": "adapters.guiders.guider",
    "SemguideError": "errors",
    "SemguideWarning": "errors",
    "SteeredPipeline": "adapters",
    "Trace": "guidance",
    "UnsupportedPipeline": "errors",
    "best_of": "selection",
    "retry": "selection",
    "decompose": "concepts",
    "steer": "adapters",
    "with_semantic_guidance": "adapters.guiders.modular",
}

__all__ = [
    "APG",
    "CDG",
    "CFG",
    "SEGA",
    "SGT",
    "BalancedSGT",
    "CFGZeroStar",
    "CO3Composition",
    "Composable",
    "Concept",
    "Correction",
    "Edit",
    "Edits",
    "GuidanceNotApplied",
    "InvalidArgument",
    "MissingExtra",
    "NotFinite",
    "PerpNeg",
    "Personalization",
    "Predictions",
    "Result",
    "Rule",
    "SGTv1",
    "SGTv2",
    "Selection",
    "SemanticConceptsStep",
    "SemanticGuidance",
    "SemguideError",
    "SemguideWarning",
    "SteeredPipeline",
    "Step",
    "Trace",
    "UnsupportedPipeline",
    "__version__",
    "best_of",
    "decompose",
    "parameter",
    "register_rule",
    "retry",
    "steer",
    "with_semantic_guidance",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("semguide")
    if name not in _HOMES:
        raise AttributeError(f"module 'semguide' has no attribute {name!r}")
    return getattr(import_module(f"semguide.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
