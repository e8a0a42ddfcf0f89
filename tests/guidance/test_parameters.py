"""Parameters as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from semguide.guidance.parameters import Parameter, check_parameters, parameter, parameters_of
from support.refusals import ANYTHING, refuses


@dataclass(frozen=True)
class Example:
    number: float = parameter(0.5, "A number.", low=0.0, high=1.0, off=0.0, strength=True)
    worded: float | Literal["auto"] = parameter("auto", "A number or a word.", low=0.0)
    whole: int = parameter(3, "A whole number.", low=1, high=5)
    tick: bool = parameter(False, "Yes or no.")
    word: Literal["one", "two"] = parameter("one", "A word.")
    text: str = parameter("", "Any text.")
    bare: float = 2.0

    def __post_init__(self) -> None:
        check_parameters(self)


def test_the_parameters_of_a_class_are_read_from_its_fields() -> None:
    number, worded, whole, tick, word, text, bare = parameters_of(Example)
    assert number == Parameter("number", "number", 0.5, "A number.", 0.0, 1.0, (), 0.0, True)
    assert (worded.type, worded.choices) == ("number", ("auto",))
    assert (whole.type, whole.low, whole.high) == ("integer", 1, 5)
    assert (tick.type, text.type, text.choices) == ("boolean", "string", ())
    assert (word.type, word.choices) == ("string", ("one", "two"))
    assert (bare.type, bare.low, bare.help) == ("number", None, "")


GOOD: list[tuple[str, Any]] = [
    ("number", 0.0),
    ("number", 1),
    ("worded", "auto"),
    ("worded", 7.0),
    ("whole", 5),
    ("tick", True),
    ("word", "two"),
    ("text", "anything"),
    ("bare", -1e9),
]
BAD: list[tuple[str, Any, str]] = [
    ("number", 1.1, "between 0 and 1 (0 turns it off)"),
    ("number", "auto", "a finite number"),
    ("number", True, "a finite number"),
    ("worded", "never", "or 'auto'"),
    ("whole", 2.5, "a whole number between 1 and 5"),
    ("whole", 6, "a whole number between 1 and 5"),
    ("tick", 1, "true or false"),
    ("word", "three", "one of one, two"),
    ("text", 3, "a text"),
    ("bare", float("nan"), "a finite number"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_a_parameter_takes_is_taken(name: str, value: Any) -> None:
    assert getattr(Example(**{name: value}), name) == value


@pytest.mark.parametrize(("name", "value", "rule"), BAD)
def test_what_it_does_not_take_is_refused_with_the_rule(name: str, value: Any, rule: str) -> None:
    with refuses(name, rule, value if value == value else ANYTHING):  # noqa: PLR0124 - NaN
        Example(**{name: value})


def test_a_whole_number_is_read_as_the_number_that_it_is() -> None:
    read = {each.name: each for each in parameters_of(Example)}
    assert isinstance(read["number"].read(1), float)
    assert isinstance(read["whole"].read(1), int)
    assert read["worded"].read("auto") == "auto"


@dataclass(frozen=True)
class Unshowable:
    many: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Required:
    needed: float


@pytest.mark.parametrize(("kind", "name"), [(Unshowable, "many"), (Required, "needed")])
def test_a_field_that_no_interface_can_show_is_refused(kind: type, name: str) -> None:
    with refuses(name, f"of {kind.__name__} must"):
        parameters_of(kind)
