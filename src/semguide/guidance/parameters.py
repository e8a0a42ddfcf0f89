"""The parameters of a rule or a benchmark method as data: what each takes, means, and is when it is turned off.

Command, API, page, nodes and documentation show what stands here, and the checks of a rule are made of it.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from semguide.errors import InvalidArgument
from semguide.guidance.checks import check_choice, check_number, check_whole, plain

Kind = Literal["number", "integer", "boolean", "string"]
_KINDS: dict[Any, Kind] = {float: "number", int: "integer", bool: "boolean", str: "string"}
_METADATA = "semguide"
GUIDANCE_SCALE = "w, the scale of classifier-free guidance; 1 turns guidance off."

UNCOND_EVERY = (
    "Once the rule is done, in the second half of the steps, evaluate e(0) at every so many of them only, and keep "
    "p = e(P) - e(0) in between; 1: at every step."
)


def parameter(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    off: float | None = None,
    strength: bool = False,
) -> Any:
    """Return the dataclass field of a parameter.

    Its type says what it takes: float, int, bool, str, or the words of a Literal, also beside numbers.

    Args:
        default: Its default.
        help: What it means, in a sentence.
        low: Least number, included; None: no bound.
        high: Greatest number, included; None: no bound.
        off: The number that makes the method plain guidance; None: none does.
        strength: Whether it says how much the method corrects, which user interfaces show as their one slider.
    """
    facts = {"help": help, "low": low, "high": high, "off": off, "strength": strength}
    return field(default=default, metadata={_METADATA: facts})


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Attributes:
        name: Its name.
        type: What it takes.
        default: Its default.
        help: What it means.
        low: Least number, included; None: no bound.
        high: Greatest number, included; None: no bound.
        choices: Words that it takes: for a string all there are (none: any text), else those beside numbers.
        off: The number that makes the method plain guidance; None: none does.
        strength: Whether it says how much the method corrects.
    """

    name: str
    type: Kind
    default: Any
    help: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    off: float | None = None
    strength: bool = False

    def check(self, value: Any) -> None:
        """Check a value.

        Raises:
            InvalidArgument: It is of another type, out of range or none of the choices.
        """
        if isinstance(value, str) and value in self.choices:
            return
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        if self.type == "number":
            check_number(self.name, value, low, high, note=self._note)
        elif self.type == "integer":
            check_whole(self.name, value, low, high, note=self._note)
        else:
            check_choice(self.name, value, bool if self.type == "boolean" else str, self.choices)

    def read(self, value: Any) -> Any:
        """Return a value of JSON in the parameter's own type, checked as `check` does."""
        self.check(value)
        return float(value) if self.type == "number" and isinstance(value, int) else value

    @property
    def values(self) -> str:
        """The values that it takes, in words.

        >>> Parameter("strength", "number", 2.0, low=0.0, high=100.0, off=0.0).values
        '0 to 100, 0: off'
        """
        low, high = self.low, self.high
        numbers = "" if low is None else f">= {low:g}" if high is None else f"{low:g} to {high:g}"
        words = " or ".join(filter(None, (numbers, *self.choices))) or self.type
        return words if self.off is None else f"{words}, {self.off:g}: off"

    @property
    def _note(self) -> str:
        """What an error adds to the range."""
        words = " or ".join(repr(word) for word in self.choices)
        turned_off = "" if self.off is None else f"{self.off:g} turns it off"
        return "; ".join(filter(None, (words and f"or {words}", turned_off)))


@cache
def parameters_of(kind: type[Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a rule or a benchmark method: its fields that a call can give, those by name only last.

    Raises:
        InvalidArgument: A field has no default, or a type that no interface can show.
    """
    hints = get_type_hints(kind)
    return tuple(
        _parameter(kind.__name__, each, hints[each.name])
        for each in sorted(fields(kind), key=lambda each: each.kw_only is True)
        if each.init
    )


def _parameter(kind: str, each: Field[Any], hint: Any) -> Parameter:
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    choices = tuple(word for part in allowed if get_origin(part) is Literal for word in get_args(part))
    bases = [part for part in allowed if get_origin(part) is not Literal] or [str]
    known = {_KINDS.get(base) for base in bases}
    known = {"number"} if known == {"number", "integer"} else known
    if len(known) != 1 or None in known or not all(isinstance(word, str) for word in choices):
        raise InvalidArgument(each.name, f"of {kind} must be a float, int, bool, str or the words of a Literal", hint)
    if each.default is MISSING:
        raise InvalidArgument(each.name, f"of {kind} must have a default")
    return Parameter(each.name, known.pop(), each.default, choices=choices, **each.metadata.get(_METADATA, {}))  # type: ignore[arg-type]


def check_parameters(method: Any) -> None:
    """Check all parameters of a rule or a benchmark method; scalars of NumPy and torch become numbers.

    Raises:
        InvalidArgument: One breaks its rule.
    """
    kind: type[Any] = method.__class__
    for each in parameters_of(kind):
        given = getattr(method, each.name)
        number = plain(given)
        each.check(number)
        if number is not given:
            object.__setattr__(method, each.name, number)
