"""Values with a form of their own, as they are typed: method parameters of `--set`, seeds, a budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from semguide.concepts.budget import Evaluations, check_evaluations
from semguide.concepts.edits import Edits, parse_edit
from semguide.errors import InvalidArgument
from semguide.files import parse_value
from semguide.runs.request import LARGEST_NUM_IMAGES


def parse_settings(settings: list[str] | None, method: str | None) -> dict[str, dict[str, Any]]:
    """Read `--set` options: KEY=VALUE for the main method, METHOD.KEY=VALUE for any method of the run.

    Args:
        settings: What was typed.
        method: The main method; None where every setting must name its method.

    Returns:
        Parameters by method name; values are numbers, words and such of JSON, else text.

    Raises:
        InvalidArgument: A setting has another form.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        name, dot, field = key.strip().rpartition(".")
        named = name if dot else method
        if not equals or not field or not named:
            forms = "METHOD.KEY=VALUE" if method is None else "KEY=VALUE or METHOD.KEY=VALUE"
            raise InvalidArgument("settings", f"must be {forms}", setting, "name the parameter and its value")
        parsed.setdefault(named, {})[field] = parse_value(value.strip())
    return parsed


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read `--seed`: a number, or a list of numbers and ranges, as in 3,5 or 3..6 (both ends are in it).

    Raises:
        InvalidArgument: It has another form, or is of too many seeds.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(-?[0-9]{1,20})\s*(?:(?:\.\.|-)\s*([0-9]{1,20})\s*)?", part)
        if found is None:
            rule = "must be a whole number, or a list such as 3,5 or 3..6"
            raise InvalidArgument("seed", rule, text, "write --seed 1,2,3 or --seed 1..3")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < first + LARGEST_NUM_IMAGES - len(seeds):
            rule = f"must have ranges that count up, of at most {LARGEST_NUM_IMAGES} seeds together"
            raise InvalidArgument("seed", rule, text, f"write {last}..{first}" if last < first else "give fewer")
        seeds.extend(range(first, last + 1))
    return tuple(seeds)


def parse_evaluations(text: str | None) -> Evaluations | None:
    """Read `--evaluations`: a number, or "plain"; None where it is not given.

    Raises:
        InvalidArgument: It is neither.
    """
    if text is None:
        return None
    found: Any = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
    check_evaluations(found)
    return found


def parse_edits(more: Sequence[str], less: Sequence[str]) -> Edits:
    """Read `--more` and `--less`.

    Raises:
        InvalidArgument: One has another form, or they do not go together.
    """
    edits = [parse_edit(text, "more") for text in more] + [parse_edit(text, "less") for text in less]
    try:
        return Edits(tuple(edits))
    except InvalidArgument as error:
        raise InvalidArgument("less" if less else "more", error.rule, error.value, error.remedy) from error


def check_seed_list(seeds: tuple[int, ...], num_images: int | None, best_of: int | None) -> None:
    """Check that a list of seeds goes with the other options.

    Args:
        seeds: The seeds.
        num_images: As given, None: not given.
        best_of: As given, None: not given.

    Raises:
        InvalidArgument: It does not.
    """
    if len(seeds) > 1 and best_of is not None:
        raise InvalidArgument("seed", "must be one number beside {best_of}", remedy="leave {best_of} out")
    if len(seeds) > 1 and num_images not in (None, len(seeds)):
        raise InvalidArgument("num_images", f"must be the number of seeds ({len(seeds)})", num_images, "leave it out")
