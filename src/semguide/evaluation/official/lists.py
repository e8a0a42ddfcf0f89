"""Prompt files that hold prompts and no more: Attend-and-Excite, T2I-CompBench++, DPG-Bench's folder, GenAI-Bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semguide.evaluation.official.fields import decomposed, table_rows
from semguide.evaluation.suites import SuitePrompt
from semguide.files import decode_text, field_of, object_of


def attend_and_excite(text: str, name: str) -> list[SuitePrompt]:
    """Read the column `prompt`; the category is the file's name."""
    return [decomposed(row["prompt"], name) for row in table_rows(text, ("prompt",)) if row["prompt"].strip()]


def t2i_compbench(text: str, name: str) -> list[SuitePrompt]:
    """Read a prompt a line; the category is the file's name, which in T2I-CompBench++ is that of its prompts."""
    category = name.removesuffix("_val").removesuffix("_train")
    return [decomposed(line, category) for line in text.splitlines() if line.strip()]


def dpg_folder(files: list[Path]) -> list[SuitePrompt]:
    """Read a prompt a file; its id is the file's name, as it is for the benchmark."""
    return [decomposed(" ".join(decode_text(file.read_bytes()).split()), "dpg-bench", (file.stem,)) for file in files]


def genai_bench(entries: dict[str, Any]) -> list[SuitePrompt]:
    """Read a prompt an entry; the key is its id."""
    return [
        decomposed(field_of(object_of(entry, "an entry"), "prompt", str), "genai-bench", (identifier,))
        for identifier, entry in entries.items()
    ]
