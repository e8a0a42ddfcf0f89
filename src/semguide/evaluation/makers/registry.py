"""The makers by their name, beside the rules of `semguide.guidance.METHODS`, whose names they do not repeat."""

from __future__ import annotations

from semguide.errors import InvalidArgument
from semguide.evaluation.makers.attend_excite import AttendExcite
from semguide.evaluation.makers.best_of import BestOfDetector, BestOfRejection
from semguide.evaluation.makers.best_of_clip import BestOfCLIP
from semguide.evaluation.makers.co3 import CO3
from semguide.evaluation.makers.maker import SamplingMethod

MAKERS: dict[str, type[SamplingMethod]] = {
    maker.name: maker for maker in (CO3, AttendExcite, BestOfDetector, BestOfRejection, BestOfCLIP)
}


def get_maker(name: str) -> type[SamplingMethod]:
    """Return the maker class of a name.

    Raises:
        InvalidArgument: There is none; the message lists the names.
    """
    if name not in MAKERS:
        raise InvalidArgument(f"maker must be one of {', '.join(MAKERS)}, got {name!r}")
    return MAKERS[name]
