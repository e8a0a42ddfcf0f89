"""DSG, DPG-Bench and TIFA: tuples become concepts, and questions keep what they hang on."""

import csv
import json
from pathlib import Path

import pytest

from semguide.evaluation.official import read_official
from semguide.evaluation.official.asked import concepts_of_tuples
from semguide.evaluation.suites import Question
from support.refusals import refuses

COLUMNS = ["item_id", "text", "keywords", "proposition_id", "dependency", "category_broad", "category_detailed"]
COLUMNS += ["tuple", "question_natural_language"]
TEXT = "A child draws a blue flower with two red pencils."
ROWS = [
    ("1", "0", "entity - whole (child)", "Is there a child?"),
    ("2", "0", "entity - whole (flower)", "Is there a flower?"),
    ("3", "0", "entity - whole (pencils)", "Are there pencils?"),
    ("4", "2", "attribute - color (flower, blue)", "Is the flower blue?"),
    ("5", "3", "attribute - color (pencils, red)", "Are the pencils red?"),
    ("6", "3", "other - count (pencils, ==2)", "Are there two pencils?"),
    ("7", "1,2", "relation - action (child, flower, draw)", "Is the child drawing a flower?"),
]


def dsg(folder: Path, rows: list[tuple[str, str, str, str]], identifier: str = "whoops_89") -> Path:
    path = folder / "dsg-1k-anns.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for number, dependency, tuple_, question in rows:
            writer.writerow([identifier, TEXT, "", number, dependency, "", "", tuple_, question])
    return path


def test_tuples_are_the_concepts_of_a_prompt(tmp_path: Path):
    (prompt,) = read_official(dsg(tmp_path, ROWS))
    assert (prompt.text, prompt.category, prompt.ids) == (TEXT, "whoops", ("whoops_89",))
    found = [(c.text, c.head, c.attributes, c.count) for c in prompt.concepts]
    assert found == [
        ("A child", "child", (), 1),
        ("a blue flower", "flower", ("blue",), 1),
        ("two red pencils", "pencils", ("red",), 2),
    ]
    assert all(c.span and TEXT[slice(*c.span)] == c.text for c in prompt.concepts)


def test_questions_are_yes_or_no_and_need_those_that_they_depend_on(tmp_path: Path):
    (prompt,) = read_official(dsg(tmp_path, ROWS))
    assert prompt.questions[3] == Question("Is the flower blue?", "yes", ("yes", "no"), (1,))
    assert prompt.questions[6].needs == (0, 1)
    assert len(prompt.questions) == 7


def test_words_among_the_dependencies_and_rows_without_a_question_are_left_out_as_the_official_file_has_them(
    tmp_path: Path,
):
    rows = [("1", "0", "entity - whole (child)", ""), ("2", "0", "entity - whole (flower)", "Is there a flower?")]
    (prompt,) = read_official(dsg(tmp_path, [*rows, ("3", "2, right, 1", "relation - spatial (a, right)", "Right?")]))
    assert [question.needs for question in prompt.questions] == [(), (0,)]
    assert [concept.head for concept in prompt.concepts] == ["child", "flower"]


@pytest.mark.parametrize(
    ("entity", "text", "span"),
    [("flower", "a blue flower", (14, 27)), ("draws", "draws", (8, 13)), ("drawing", "drawing", None)],
)
def test_an_entity_is_the_phrase_that_holds_it_or_its_own_words(entity: str, text: str, span: tuple | None):
    (concept,) = concepts_of_tuples(TEXT, [f"entity - whole ({entity})"])
    assert (concept.text, concept.span, concept.head) == (text, span, entity)


def test_parts_relations_and_what_is_no_tuple_are_no_concepts():
    assert concepts_of_tuples(TEXT, ["entity - part (child's hand)", "global - - (photo)", "", "child"]) == ()


def tifa(folder: Path, entries: list[dict]) -> Path:
    path = folder / "tifa.json"
    path.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return path


ENTRY = {
    "id": "drawbench_52",
    "caption": "Three cats and two dogs sitting on the grass.",
    "question": "how many cats are in the picture?",
    "choices": ["1", "2", "3", "4"],
    "answer": "3",
    "element_type": "counting",
    "element": "three",
}


def test_tifa_texts_and_questions_are_read(tmp_path: Path):
    more = {**ENTRY, "question": "are there dogs?", "choices": ["yes", "no"], "answer": "yes"}
    other = {"id": "coco_1", "caption": "a red car"}
    asked, plain = read_official(tifa(tmp_path, [ENTRY, more, other]))
    assert (asked.text, asked.category, asked.ids) == (ENTRY["caption"], "drawbench", ("drawbench_52",))
    assert asked.questions == (
        Question("how many cats are in the picture?", "3", ("1", "2", "3", "4")),
        Question("are there dogs?", "yes", ("yes", "no")),
    )
    assert [(c.head, c.count) for c in asked.concepts][:2] == [("cats", 3), ("dogs", 2)]
    assert (plain.ids, plain.questions) == (("coco_1",), ())


def test_an_answer_that_is_no_choice_is_refused(tmp_path: Path):
    path = tifa(tmp_path, [{**ENTRY, "answer": "5"}])
    with refuses("suite", "must be readable (answer must be one of the choices 1, 2, 3, 4, got '5'", path):
        read_official(path)
