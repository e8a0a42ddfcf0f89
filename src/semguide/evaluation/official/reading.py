"""Which form a prompt file has, told by what is in it, and its prompts."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from semguide.errors import InvalidArgument
from semguide.evaluation.official import asked, geneval, lists
from semguide.evaluation.suites import SuitePrompt
from semguide.files import decode_text, parse_json
from semguide.runs.checks import LONGEST_TEXT

KNOWN = (
    "Attend-and-Excite (csv with a column prompt), GenEval and GenEval 2 (a JSON object a line with prompt and include "
    "or vqa_list), T2I-CompBench++ (txt, a prompt a line), DPG-Bench (its folder of prompts, a txt file each, or its "
    "csv) and DSG (csv with the columns item_id, text, tuple, question_natural_language), TIFA (a JSON list of objects "
    "with id and caption), GenAI-Bench (a JSON object of objects with prompt)"
)
"""The known forms, in words."""
_SHOWN = 8
"""Names of fields that a refusal shows at most."""
_LONGEST_LINE = 200
"""Characters of a single line that may be a list of one prompt; the longest prompt of T2I-CompBench++ has 150."""


def read_official(path: Path) -> list[SuitePrompt]:
    """Read a prompt file, or the folder of DPG-Bench, in its published form, which is told by its content.

    Prompts that occur twice are kept once, with all their ids. Concepts are those that the file names (GenEval, the
    tuples of DSG and DPG-Bench), else the prompt's noun phrases.

    Args:
        path: The file or folder.

    Raises:
        InvalidArgument: It has no known form, cannot be read, or holds no prompt.
    """
    try:
        prompts = _read_folder(path) if path.is_dir() else _read(path, decode_text(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error) as error:
        if isinstance(error, InvalidArgument):
            raise
        plain = isinstance(error, ValueError | csv.Error)
        problem = str(error) if plain else f"{type(error).__name__}: {error}"
        raise InvalidArgument("suite", f"must be readable ({problem})", path, "give the official file") from error
    if any(len(prompt.text) > LONGEST_TEXT for prompt in prompts):
        raise InvalidArgument("suite", f"must have prompts of at most {LONGEST_TEXT} characters", path, "shorten them")
    if not all(prompt.text.strip() for prompt in prompts):
        raise InvalidArgument("suite", "must have no empty prompt", path, "remove it")
    if not prompts:
        raise InvalidArgument("suite", "must hold at least one prompt", path)
    return _merged(prompts)


def _merged(prompts: Iterable[SuitePrompt]) -> list[SuitePrompt]:
    found: dict[str, SuitePrompt] = {}
    for prompt in prompts:
        earlier = found.get(prompt.text)
        ids = prompt.ids if earlier is None else tuple(dict.fromkeys((*earlier.ids, *prompt.ids)))
        found[prompt.text] = replace(prompt, ids=ids)
    return list(found.values())


def _unknown(path: Path, seen: str, remedy: str = "give the official file") -> InvalidArgument:
    return InvalidArgument("suite", f"must have a known form, and this is {seen}; known are {KNOWN}", path, remedy)


def _read_folder(path: Path) -> list[SuitePrompt]:
    files = sorted(path.glob("*.txt"))
    if not files:
        raise _unknown(path, "a folder without txt files")
    for file in files:
        lines = [line for line in decode_text(file.read_bytes()).splitlines() if line.strip()]
        if len(lines) != 1:
            raise _unknown(path, f"a folder with {file.name} of {len(lines)} lines", "give one of its files")
    return lists.dpg_folder(files)


def _read(path: Path, text: str) -> list[SuitePrompt]:
    if text.lstrip().startswith(("{", "[")):
        return _read_json(path, text)
    lines = [line for line in text.splitlines() if line.strip()]
    columns = [column.strip() for row in csv.reader(lines[:1]) for column in row]
    if set(asked.DSG_COLUMNS) <= set(columns):
        return asked.dsg(text)
    if "prompt" in columns:
        return lists.attend_and_excite(text, path.stem)
    if path.suffix != ".txt":
        raise _unknown(path, f"a text that begins with the columns {', '.join(columns)}" if columns else "empty")
    if any("\t" in line for line in lines):
        raise _unknown(path, "a table of columns with tabs between")
    if len(lines) == 1 and len(lines[0]) > _LONGEST_LINE:
        raise _unknown(path, f"one text of {len(lines[0])} characters", "for DPG-Bench, give the folder of its prompts")
    return lists.t2i_compbench(text, path.stem)


def _read_json(path: Path, text: str) -> list[SuitePrompt]:
    try:
        whole = parse_json(text)
    except ValueError:
        if not _is_of_lines(text):
            raise
        return _read_lines(path, text)
    if isinstance(whole, list):
        entries = cast(list[Any], whole)
        if not all(isinstance(entry, dict) and {"id", "caption"} <= entry.keys() for entry in entries):
            raise _unknown(path, f"a JSON list of {_keys(entries[0])}")
        return asked.tifa(entries)
    if isinstance(whole, dict) and "prompt" not in whole:
        named = cast(dict[str, Any], whole)
        if not named or not all(isinstance(entry, dict) and "prompt" in entry for entry in named.values()):
            raise _unknown(path, f"a JSON object with {', '.join([*named][:_SHOWN])}")
        return lists.genai_bench(named)
    return _read_lines(path, text)


def _read_lines(path: Path, text: str) -> list[SuitePrompt]:
    entries: list[tuple[int, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                entries.append((number, parse_json(line)))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    first = entries[0][1]
    known = {"include": geneval.geneval_prompt, "vqa_list": geneval.geneval2_prompt}
    reader = next((known[key] for key in known if isinstance(first, dict) and key in first and "prompt" in first), None)
    if reader is None:
        raise _unknown(path, f"lines of JSON, the first {_keys(first)}")
    prompts: list[SuitePrompt] = []
    for number, entry in entries:
        try:
            prompts.append(reader(entry))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return prompts


def _is_of_lines(text: str) -> bool:
    """Whether a text is meant as an object a line: no line of a single value in several begins with a brace."""
    lines = [line for line in text.splitlines() if line.strip()]
    return text.lstrip().startswith("{") and (len(lines) == 1 or lines[1].startswith("{"))


def _keys(value: Any) -> str:
    if isinstance(value, dict):
        return f"objects with {', '.join([*cast(dict[str, Any], value)][:_SHOWN])}"
    return f"values of another kind ({type(value).__name__})"
