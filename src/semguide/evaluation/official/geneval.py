"""GenEval's objects, and GenEval 2's questions: a JSON object a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from semguide.errors import shown
from semguide.evaluation.official.fields import decomposed
from semguide.evaluation.suites import Question, SuitePrompt
from semguide.files import decode_text, field_of, object_of, parse_json
from semguide.types import Concept, Position

_POSITIONS: dict[str, Position] = {"left of": "left", "right of": "right", "above": "above", "below": "below"}


def geneval_entries(path: Path) -> dict[str, dict[str, Any]]:
    """Read the lines of a GenEval file as they are, by prompt, in their order; of another file, nothing."""
    try:
        lines = decode_text(path.read_bytes()).splitlines()
        read: list[Any] = [parse_json(line) for line in lines if line.strip()]
    except ValueError:
        return {}
    entries = [cast(dict[str, Any], entry) for entry in read if isinstance(entry, dict)]
    return {str(entry["prompt"]): entry for entry in entries if "include" in entry}


def geneval_prompt(value: Any) -> SuitePrompt:
    """Read a line: tag, prompt, and the objects it must include; the second one's position is relative to the first.

    Raises:
        ValueError: A field is of another kind.
    """
    entry = object_of(value, "a line")
    listed: list[Any] = field_of(entry, "include", list)
    include: list[dict[str, Any]] = [object_of(item, "include") for item in listed]
    prompt, position = field_of(entry, "prompt", str), None
    placed = next((item for item in include if "position" in item), None)
    if placed is not None:
        found: list[Any] = field_of(placed, "position", list)
        if not _is_position(found, len(include)):
            raise ValueError(
                f"position must be [{' | '.join(_POSITIONS)}, number of another object], got {shown(found)}"
            )
        name, other = cast(tuple[str, int], tuple(found))
        position, include = _POSITIONS[name], [placed, include[other]]
    concepts = tuple(_concept(item, prompt) for item in include)
    return SuitePrompt(prompt, field_of(entry, "tag", str), concepts, position, exact="exclude" in entry)


def _is_position(found: list[Any], objects: int) -> bool:
    return [*map(type, found)] == [str, int] and found[0] in _POSITIONS and found[1] in range(objects)


def _concept(item: dict[str, Any], prompt: str) -> Concept:
    noun, count = field_of(item, "class", str), field_of(item, "count", int)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    colour = None if item.get("color") is None else field_of(item, "color", str)
    words = f"{colour} {noun}" if colour else noun
    pattern = rf"\ban? {re.escape(words)}\b" if count == 1 else r"(?<=a photo of ).+"
    found = re.search(pattern, prompt)
    text = found[0] if found else f"a {words}"
    return Concept(text, found.span() if found else None, noun, (colour,) if colour else (), count)


def geneval2_prompt(value: Any) -> SuitePrompt:
    """Read a line of GenEval 2 (arXiv 2512.16853): a prompt, its number of atoms, and pairs of question and answer.

    Raises:
        ValueError: A field is of another kind.
    """
    entry = object_of(value, "a line")
    pairs: list[Any] = field_of(entry, "vqa_list", list)
    for pair in pairs:
        if not isinstance(pair, list) or [*map(type, cast(list[Any], pair))] != [str, str]:
            raise ValueError(f"vqa_list must have pairs of question and answer, got {shown(pair)}")
    questions = tuple(Question(question, answer) for question, answer in pairs)
    category = f"{field_of(entry, 'atom_count', int)} atoms"
    return decomposed(field_of(entry, "prompt", str), category, questions=questions)
