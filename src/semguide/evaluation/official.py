"""Readers of the official prompt files: Attend-and-Excite, GenEval, T2I-CompBench."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from semguide.concepts import decompose
from semguide.errors import InvalidArgument, shown
from semguide.evaluation.suites import SuitePrompt
from semguide.files import parse_json
from semguide.runs.checks import LONGEST_TEXT
from semguide.types import Concept, Position

_POSITIONS: dict[str, Position] = {"left of": "left", "right of": "right", "above": "above", "below": "below"}


def read_official(path: Path) -> list[SuitePrompt]:
    """Read a prompt file in its published form, told apart by its ending.

    Prompts that occur twice are kept once. Concepts are those that the file names (GenEval), else the prompt's noun
    phrases.

    Args:
        path: An Attend-and-Excite csv, a GenEval jsonl or a T2I-CompBench txt file.

    Raises:
        InvalidArgument: It is none of these, cannot be read, or holds no prompt.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        rule = "by path must be a .csv (Attend-and-Excite), .jsonl (GenEval) or .txt (T2I-CompBench) file"
        raise InvalidArgument("suite", rule, path)
    try:
        prompts = reader(path.read_text(encoding="utf-8-sig"), path.stem)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error) as error:
        problem = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise InvalidArgument("suite", f"must be readable ({problem})", path, "give the official file") from error
    if any(len(prompt.text) > LONGEST_TEXT for prompt in prompts):
        raise InvalidArgument("suite", f"must have prompts of at most {LONGEST_TEXT} characters", path, "shorten them")
    if not prompts:
        raise InvalidArgument("suite", "must hold at least one prompt", path)
    return list({prompt.text: prompt for prompt in prompts}.values())


def geneval_entries(path: Path) -> dict[str, dict[str, Any]]:
    """Read the lines of a GenEval jsonl file as they are, by prompt, in their order."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return {str(entry["prompt"]): entry for entry in (parse_json(line) for line in lines if line.strip())}


def _attend_and_excite(text: str, stem: str) -> list[SuitePrompt]:
    return [_decomposed(row["prompt"], stem) for row in csv.DictReader(text.splitlines()) if row["prompt"].strip()]


def _t2i_compbench(text: str, stem: str) -> list[SuitePrompt]:
    category = stem.removesuffix("_val").removesuffix("_train")
    return [_decomposed(line, category) for line in text.splitlines() if line.strip()]


def _decomposed(text: str, category: str) -> SuitePrompt:
    prompt = text.strip()
    return SuitePrompt(prompt, category, tuple(decompose(prompt)))


def _geneval(text: str, stem: str) -> list[SuitePrompt]:
    del stem
    prompts: list[SuitePrompt] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                prompts.append(_geneval_prompt(_object(parse_json(line), "a line")))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    return prompts


def _geneval_prompt(entry: dict[str, Any]) -> SuitePrompt:
    """One line: tag, prompt, and the objects it must include; the second one's position is relative to the first."""
    listed: list[Any] = _field(entry, "include", list)
    include: list[dict[str, Any]] = [_object(item, "include") for item in listed]
    prompt, position = _field(entry, "prompt", str), None
    placed = next((item for item in include if "position" in item), None)
    if placed is not None:
        found: list[Any] = _field(placed, "position", list)
        if len(found) != 2 or str(found[0]) not in _POSITIONS or found[1] not in range(len(include)):
            raise ValueError(
                f"position must be [{' | '.join(_POSITIONS)}, number of another object], got {shown(found)}"
            )
        position, include = _POSITIONS[found[0]], [placed, include[int(found[1])]]
    concepts = tuple(_geneval_concept(item, prompt) for item in include)
    return SuitePrompt(prompt, _field(entry, "tag", str), concepts, position, exact="exclude" in entry)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must have objects, got {shown(value)}")
    return cast(dict[str, Any], value)


def _field(entry: dict[str, Any], name: str, kind: type) -> Any:
    value = entry.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} must be a {kind.__name__}, got {'nothing' if value is None else shown(value)}")
    return value


def _geneval_concept(item: dict[str, Any], prompt: str) -> Concept:
    noun, count = _field(item, "class", str), _field(item, "count", int)
    colour = None if item.get("color") is None else _field(item, "color", str)
    words = f"{colour} {noun}" if colour else noun
    pattern = rf"\ban? {re.escape(words)}\b" if count == 1 else r"(?<=a photo of ).+"
    found = re.search(pattern, prompt)
    text = found[0] if found else f"a {words}"
    return Concept(text, found.span() if found else None, noun, (colour,) if colour else (), count)


_READERS: dict[str, Callable[[str, str], list[SuitePrompt]]] = {
    ".csv": _attend_and_excite,
    ".jsonl": _geneval,
    ".txt": _t2i_compbench,
}
