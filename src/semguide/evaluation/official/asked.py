"""Prompt files with questions about the pictures: DSG, DPG-Bench and TIFA."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from semguide.concepts import decompose
from semguide.concepts.spans import locate
from semguide.evaluation.official.fields import decomposed, source_of, table_rows
from semguide.evaluation.suites import Question, SuitePrompt
from semguide.files import field_of, object_of
from semguide.types import Concept

DSG_COLUMNS = ("item_id", "text", "proposition_id", "dependency", "tuple", "question_natural_language")
"""The columns that a table of Davidsonian Scene Graphs (DSG, and DPG-Bench after it) must have."""
YES, NO = "yes", "no"
_TUPLE = re.compile(r"\s*(?P<broad>\w+)\s*-\s*(?P<detail>.*?)\s*\((?P<parts>.*)\)\s*", re.DOTALL)
_COUNT = re.compile(r"==\s*(\d+)")


def dsg(text: str) -> list[SuitePrompt]:
    """Read a table with a row a question (arXiv 2310.18235); the tuples of entities are the concepts."""
    items: dict[str, list[dict[str, str]]] = {}
    for row in table_rows(text, DSG_COLUMNS):
        items.setdefault(row["item_id"].strip(), []).append(row)
    return [_dsg_prompt(identifier, rows) for identifier, rows in items.items()]


def _dsg_prompt(identifier: str, rows: Sequence[dict[str, str]]) -> SuitePrompt:
    text = " ".join(rows[0]["text"].split())
    asked = [row for row in rows if row["question_natural_language"].strip()]
    numbers = {row["proposition_id"].strip(): index for index, row in enumerate(asked)}
    questions = tuple(
        Question(row["question_natural_language"].strip(), YES, (YES, NO), _needed(row["dependency"], numbers))
        for row in asked
    )
    concepts = concepts_of_tuples(text, [row["tuple"] for row in rows]) or tuple(decompose(text))
    return SuitePrompt(text, source_of(identifier, "dsg"), concepts, ids=(identifier,), questions=questions)


def _needed(dependency: str, numbers: dict[str, int]) -> tuple[int, ...]:
    """Return the places of the questions that a question hangs on; 0, and words as DSG-1k has some, stand for none."""
    return tuple(numbers[number] for number in map(str.strip, dependency.split(",")) if number in numbers)


def concepts_of_tuples(prompt: str, tuples: Sequence[str]) -> tuple[Concept, ...]:
    """Return the whole entities among tuples, as the prompt names them.

    An entity is the prompt's noun phrase that holds its words, else its words where they stand, else those words; its
    attributes and count are those of the tuples. Entities that share a noun phrase are one concept.

    Args:
        prompt: The prompt.
        tuples: Such as "entity - whole (umbrella)", "attribute - color (umbrella, red)", "other - count (dogs, ==2)".
    """
    read = [found for found in map(_TUPLE.fullmatch, tuples) if found]
    parts = [(found["broad"], found["detail"], [part.strip() for part in found["parts"].split(",")]) for found in read]
    phrases = [phrase for phrase in decompose(prompt) if phrase.span is not None]
    concepts: dict[str, Concept] = {}
    for broad, detail, (entity, *_) in parts:
        if broad == "entity" and detail == "whole":
            said = [more for kind, _, (owner, *more) in parts if kind == "attribute" and owner == entity]
            counts = [_COUNT.fullmatch(word) for _, _, (owner, *more) in parts for word in more if owner == entity]
            concept = _named(prompt, entity, phrases)
            attributes = tuple(", ".join(words).lower() for words in said)
            count = next((int(found[1]) for found in counts if found), concept.count)
            concepts.setdefault(concept.text, replace(concept, attributes=attributes, count=count))
    return tuple(concepts.values())


def _named(prompt: str, entity: str, phrases: Sequence[Concept]) -> Concept:
    """Return an entity as the prompt names it."""
    span = locate(prompt, entity)
    if span is None:
        return Concept(entity, None, entity.lower())
    around = [found for found in phrases if found.span and found.span[0] <= span[0] and span[1] <= found.span[1]]
    found = around[0] if around else Concept(prompt[slice(*span)], span)
    return replace(found, head=entity.lower())


def tifa(entries: Sequence[Any]) -> list[SuitePrompt]:
    """Read texts, or questions about texts (arXiv 2303.11897): right is the answer among the choices."""
    captions: dict[str, str] = {}
    questions: dict[str, list[Question]] = {}
    for value in entries:
        entry = object_of(value, "the list")
        identifier = entry["id"] if type(entry["id"]) is int else field_of(entry, "id", str)
        identifier = str(identifier)
        captions[identifier] = field_of(entry, "caption", str)
        if "question" in entry:
            questions.setdefault(identifier, []).append(_tifa_question(entry))
    return [
        decomposed(caption, source_of(identifier, "tifa"), (identifier,), tuple(questions.get(identifier, ())))
        for identifier, caption in captions.items()
    ]


def _tifa_question(entry: dict[str, Any]) -> Question:
    choices = tuple(str(choice) for choice in field_of(entry, "choices", list))
    answer = field_of(entry, "answer", str)
    if answer not in choices:
        raise ValueError(f"answer must be one of the choices {', '.join(choices)}, got {answer!r}")
    return Question(field_of(entry, "question", str), answer, choices)
