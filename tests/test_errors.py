"""Errors are data: what they hold, and the sentences that are made of it."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import pytest

from semguide.errors import LONGEST, MISSING, InvalidArgument, SemguideWarning, notify, shown

LOW = InvalidArgument("guidance_scale", "must be >= 1 (1.0 turns guidance off)", -1.0, "try 7.5")


def test_a_refusal_holds_argument_rule_value_and_remedy() -> None:
    assert (LOW.argument, LOW.rule, LOW.value, LOW.remedy) == (
        "guidance_scale",
        "must be >= 1 (1.0 turns guidance off)",
        -1.0,
        "try 7.5",
    )
    assert isinstance(LOW, ValueError)


def test_a_refusal_is_one_sentence() -> None:
    assert str(LOW) == "guidance_scale must be >= 1 (1.0 turns guidance off), got -1.0; try 7.5"
    assert str(InvalidArgument("seeds", "must differ")) == "seeds must differ"
    assert str(InvalidArgument("clip", "must be a text encoder", None)) == "clip must be a text encoder, got None"


def test_every_interface_calls_the_arguments_by_its_own_names() -> None:
    error = InvalidArgument("keep", "must be at most {best_of} (4)", "{keep}", 'leave {keep} out of {"n": 1}')
    assert str(error) == """keep must be at most best_of (4), got '{keep}'; leave keep out of {"n": 1}"""
    named = error.worded(lambda argument: f"--{argument.replace('_', '-')}")
    assert named == """--keep must be at most --best-of (4), got '{keep}'; leave --keep out of {"n": 1}"""


def test_long_values_keep_their_ends() -> None:
    text = shown("a" * 500 + "z")
    assert len(text) == LONGEST + len("...")
    assert (text[:2], text[-2:]) == ("'a", "z'")
    assert shown(Path("out/a b")) == "'out/a b'"


@pytest.mark.parametrize("value", [MISSING, None, "text", 3, 0.5, True, Path("out")])
def test_a_refusal_survives_a_process_pool(value: object) -> None:
    error = InvalidArgument("out", "must be new", value, "choose {out}")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is InvalidArgument
    assert (copy.argument, copy.rule, copy.value, copy.remedy) == ("out", "must be new", value, "choose {out}")
    assert str(copy) == str(error)


def test_a_value_that_cannot_be_pickled_goes_as_text() -> None:
    copy = pickle.loads(pickle.dumps(InvalidArgument("rule", "must be a rule", lambda: None)))
    assert "<lambda>" in copy.value


def test_warnings_name_arguments_in_the_same_way() -> None:
    with pytest.warns(SemguideWarning, match="^no concept in '{x}'; name the concepts$") as caught:
        notify("no concept in '{x}'", "name the {concepts}")
    found = caught[0].message
    assert isinstance(found, SemguideWarning)
    assert found.worded(lambda name: f"<{name}>") == "no concept in '{x}'; name the <concepts>"


def test_a_warning_may_be_given_as_a_sentence() -> None:
    with pytest.warns(SemguideWarning, match="^as it is$"):
        warnings.warn("as it is", SemguideWarning, stacklevel=1)
