"""What a picture is to show more of, or less of, beside its prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, cast, get_args

from semguide.errors import InvalidArgument

Direction = Literal["more", "less"]
MOST_EDITS: Final = 16
LONGEST: Final = 10_000
"""Characters of a text, as of a prompt."""
LARGEST_SCALE: Final = 100.0
_LEAST: Final = "leave the edit out to turn it off"


@dataclass(frozen=True, slots=True)
class Edit:
    """More of something in a picture, or less of it.

    Attributes:
        text: What, as a text encoder reads it: "a hat".
        direction: "more" or "less".
        scale: Factor of its guidance, > 0 and at most 100.
        threshold: The part of each channel that stays as it is, where its guidance is smallest, from 0 to 1.
        start: The part of the steps before the edit begins, from 0 to below 1.
        stop: The part of the steps at which it ends, above `start` and at most 1.
        weight: Factor of what the threshold leaves, > 0 and at most 100; while other edits have not begun, those that
            have are averaged by it.

    Raises:
        InvalidArgument: A value breaks a rule.
    """

    text: str
    direction: Direction = "more"
    scale: float = 5.0
    threshold: float = 0.9
    start: float = 0.2
    stop: float = 1.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check_text(self.text)
        if self.direction not in get_args(Direction):
            raise InvalidArgument("edits", 'must have the direction "more" or "less"', self.direction)
        for name in ("scale", "weight"):
            value = getattr(self, name)
            if not (_is_number(value) and 0 < value <= LARGEST_SCALE):
                raise InvalidArgument("edits", f"must have a {name} > 0 and at most {LARGEST_SCALE:g}", value, _LEAST)
        for name in ("threshold", "start", "stop"):
            value = getattr(self, name)
            if not (_is_number(value) and 0 <= value <= 1):
                raise InvalidArgument("edits", f"must have a {name} from 0 to 1", value)
        if not self.start < self.stop:
            raise InvalidArgument("edits", f"must have a stop above the start, here {self.start:g}", self.stop, _LEAST)


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of a picture, and the momentum that they share.

    Attributes:
        each: The edits.
        momentum_scale: How much of the momentum is added, from 0 (no momentum) to 100. With momentum an edit is
            evaluated from the first step on, without it from its start.
        momentum_beta: How much of the momentum is kept from step to step, from 0 to 1.

    Raises:
        InvalidArgument: A value breaks a rule, a text occurs twice, or there are more than 16.
    """

    each: tuple[Edit, ...] = ()
    momentum_scale: float = 0.1
    momentum_beta: float = 0.4

    def __post_init__(self) -> None:
        for name, most in (("momentum_scale", LARGEST_SCALE), ("momentum_beta", 1.0)):
            value = getattr(self, name)
            if not (_is_number(value) and 0 <= value <= most):
                raise InvalidArgument("edits", f"must have a {name} from 0 to {most:g}", value)
        if len(self.each) > MOST_EDITS:
            raise InvalidArgument("edits", f"must be at most {MOST_EDITS}", len(self.each), "leave some out")
        known: dict[str, Edit] = {}
        for edit in self.each:
            other = known.setdefault(edit.text.strip().lower(), edit)
            if other is not edit:
                rule = "must name each text once" if other.direction == edit.direction else _BOTH
                raise InvalidArgument("edits", rule, edit.text, "leave one of them out")

    def __bool__(self) -> bool:
        return bool(self.each)

    def to_json(self) -> dict[str, Any]:
        """Return the edits as JSON values, which `from_json` reads."""
        return {**asdict(self), "each": [asdict(edit) for edit in self.each]}


_BOTH: Final = "must not ask for more and for less of one thing"


def as_edits(given: Any) -> Edits:
    """Return edits of what a caller gives.

    Args:
        given: `Edits`, or a list of `Edit`s and of texts, which mean more of them; None for none.

    Raises:
        InvalidArgument: It is neither.
    """
    if given is None or isinstance(given, Edits):
        return given or Edits()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InvalidArgument("edits", 'must be a list such as [Edit("a hat"), Edit("snow", "less")]', given)
    return Edits(tuple(edit if isinstance(edit, Edit) else Edit(edit) for edit in cast(Sequence[Any], given)))


def parse_edit(text: str, direction: Direction) -> Edit:
    """Read TEXT, TEXT:SCALE or TEXT:SCALE;KEY=VALUE;..., the keys those of `Edit`.

    >>> parse_edit("snow:3;stop=0.6", "less")
    Edit(text='snow', direction='less', scale=3.0, threshold=0.9, start=0.2, stop=0.6, weight=1.0)

    Raises:
        InvalidArgument: A key is unknown, or a value breaks a rule; it names `direction`.
    """
    what, *settings = text.split(";")
    named, colon, scale = what.rpartition(":")
    values = {"scale": float(scale)} if colon and _reads_as_number(scale) else {}
    try:
        for setting in settings:
            key, equals, value = (part.strip() for part in setting.partition("="))
            if not equals or key not in _NUMBERS or not _reads_as_number(value):
                raise InvalidArgument("edits", f"must be TEXT:SCALE;KEY=NUMBER with keys {', '.join(_NUMBERS)}", text)
            values[key] = float(value)
        return Edit((named if "scale" in values and colon else what).strip(), direction, **values)
    except InvalidArgument as error:
        raise InvalidArgument(direction, error.rule, error.value, error.remedy) from error


def from_json(data: Any) -> Edits:
    """Read edits from JSON values.

    Raises:
        InvalidArgument: A key is missing or unknown, or a value of the wrong type or out of range.
    """
    whole = _object(data, "edits", {field.name for field in fields(Edits)})
    each, known = whole.pop("each"), {field.name for field in fields(Edit)}
    if not isinstance(each, list):
        raise InvalidArgument("edits", "must be a list", each, _REMEDY)
    return Edits(tuple(Edit(**_object(edit, "edits", known)) for edit in cast(list[Any], each)), **whole)


_NUMBERS: Final = ("scale", "threshold", "start", "stop", "weight")
_REMEDY: Final = "give the run.json as semguide wrote it"


def _object(data: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or set(cast(dict[str, Any], data)) != keys:
        raise InvalidArgument(where, f"must have exactly {sorted(keys)}", data, _REMEDY)
    return dict(cast(dict[str, Any], data))


def _check_text(text: Any) -> None:
    if not isinstance(text, str) or not text.strip():
        raise InvalidArgument("edits", 'must hold some text, such as "a hat"', text)
    if len(text) > LONGEST:
        raise InvalidArgument("edits", f"must be texts of at most {LONGEST} characters", len(text), "shorten it")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidArgument("edits", "must be Unicode text, with no lone surrogate", text, "send it as UTF-8")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
