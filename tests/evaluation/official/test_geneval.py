"""GenEval 2: its lines become prompts with questions."""

import json
from pathlib import Path

import pytest

from semguide.evaluation.official import geneval_entries, read_official
from semguide.evaluation.suites import Question
from support.refusals import refuses

LINE = {
    "prompt": "four white bicycles in front of three plastic cows",
    "atom_count": 7,
    "vqa_list": [["How many bicycles are in the image?", "four"], ["Are the cows plastic?", "Yes"]],
    "skills": ["count", "attribute"],
}


def written(folder: Path, *lines: dict) -> Path:
    path = folder / "geneval2_data.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_line_of_geneval_2_is_a_prompt_with_its_questions(tmp_path: Path):
    (prompt,) = read_official(written(tmp_path, LINE))
    assert (prompt.text, prompt.category) == (LINE["prompt"], "7 atoms")
    assert prompt.questions == (
        Question("How many bicycles are in the image?", "four"),
        Question("Are the cows plastic?", "Yes"),
    )
    assert [(concept.head, concept.count) for concept in prompt.concepts] == [("bicycles", 4), ("cows", 3)]


@pytest.mark.parametrize("pairs", [[["Are there cows?"]], ["Are there cows?"], [["How many?", 3]]])
def test_questions_without_an_answer_are_refused_with_their_line(tmp_path: Path, pairs: list):
    path = written(tmp_path, LINE, {**LINE, "vqa_list": pairs})
    with refuses("suite", "must be readable (line 2: vqa_list must have pairs of question and answer", path):
        read_official(path)


def test_only_lines_of_geneval_are_its_entries(tmp_path: Path):
    assert geneval_entries(written(tmp_path, LINE)) == {}
