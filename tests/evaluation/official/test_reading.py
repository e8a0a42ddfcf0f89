import json
from pathlib import Path

import pytest

from semguide.errors import InvalidArgument
from semguide.evaluation.official import read_official
from semguide.types import Concept
from support.refusals import refuses

GENEVAL = {"tag": "x", "prompt": "a photo of a cat", "include": [{"class": "cat", "count": 1}]}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_form_is_told_by_the_content_whatever_the_name(tmp_path: Path):
    line = json.dumps(GENEVAL)
    assert read_official(written(tmp_path, "prompts.txt", line)) == read_official(written(tmp_path, "p.json", line))
    (prompt,) = read_official(written(tmp_path, "prompts.txt", "prompt\na cat and a dog\n"))
    assert prompt.text == "a cat and a dog"


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("256.txt", "A ladder stands against a wall. " * 10, "one text of 320 characters"),
        ("lines.jsonl", '{"type": "x"}\n{"type": "y"}', "lines of JSON, the first objects with type"),
        ("tiif.jsonl", '{"type": "x", "short_description": "a cat"}', "a JSON object with type, short_description"),
        ("one.csv", "id,prompt_en\n1,a cat\n", "the columns id, prompt_en"),
        ("parti.tsv", "Prompt\tCategory\na cat\tAnimals\n", "the columns Prompt"),
        ("list.json", '["a cat"]', "a JSON list of values of another kind (str)"),
        ("map.json", '{"1": "a cat"}', "a JSON object with 1"),
    ],
)
def test_a_file_of_no_known_form_is_refused_with_what_was_seen_and_what_is_known(
    tmp_path: Path, name: str, text: str, seen: str
):
    with pytest.raises(InvalidArgument) as caught:
        read_official(written(tmp_path, name, text))
    assert seen in str(caught.value)
    assert "DPG-Bench (its folder of prompts" in str(caught.value)


def test_prompts_that_occur_twice_are_kept_once_with_all_their_ids(tmp_path: Path):
    entries = {"00000": {"prompt": "a cat"}, "00001": {"prompt": "a dog"}, "00002": {"prompt": "a cat"}}
    prompts = read_official(written(tmp_path, "genai_image.json", json.dumps(entries)))
    assert [(prompt.text, prompt.ids) for prompt in prompts] == [("a cat", ("00000", "00002")), ("a dog", ("00001",))]


def test_attend_and_excite_prompts_are_split_into_their_things(tmp_path: Path):
    path = written(tmp_path, "animals_objects.csv", "prompt\na horse with a glasses\n a elephant and a red bow\n")
    first, second = read_official(path)
    assert (first.text, first.category) == ("a horse with a glasses", "animals_objects")
    assert [concept.text for concept in first.concepts] == ["a horse", "a glasses"]
    assert second.concepts[1] == Concept("a red bow", (15, 24), "bow", ("red",), 1)


def test_geneval_objects_carry_class_colour_and_count(tmp_path: Path):
    lines = [
        {
            "tag": "color_attr",
            "include": [{"class": "dining table", "count": 1, "color": "pink"}, {"class": "cup", "count": 1}],
            "prompt": "a photo of a pink dining table and a cup",
        },
        {
            "tag": "counting",
            "include": [{"class": "bus", "count": 3}],
            "exclude": [{"class": "bus", "count": 4}],
            "prompt": "a photo of three buses",
        },
    ]
    colours, counting = read_official(written(tmp_path, "m.jsonl", "\n".join(map(json.dumps, lines))))
    assert colours.concepts == (
        Concept("a pink dining table", (11, 30), "dining table", ("pink",), 1),
        Concept("a cup", (35, 40), "cup", (), 1),
    )
    assert not colours.exact
    assert counting.concepts == (Concept("three buses", (11, 22), "bus", (), 3),)
    assert (counting.exact, counting.category) == (True, "counting")


def test_a_geneval_position_puts_the_placed_object_first(tmp_path: Path):
    line = {
        "tag": "position",
        "include": [{"class": "bear", "count": 1}, {"class": "dog", "count": 1, "position": ["right of", 0]}],
        "prompt": "a photo of a dog right of a bear",
    }
    (prompt,) = read_official(written(tmp_path, "m.jsonl", json.dumps(line)))
    assert prompt.position == "right"
    assert [concept.head for concept in prompt.concepts] == ["dog", "bear"]


def test_t2i_compbench_lines_are_prompts_and_the_file_names_the_category(tmp_path: Path):
    path = written(
        tmp_path, "color_val.txt", "a green bench and a blue bowl\n\na green bench and a blue bowl\ntwo boys\n"
    )
    prompts = read_official(path)
    assert [(prompt.text, prompt.category) for prompt in prompts] == [
        ("a green bench and a blue bowl", "color"),
        ("two boys", "color"),
    ]
    assert prompts[1].concepts[0].count == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prompts.json", "[]"),
        ("empty.txt", "\n"),
        ("no_column.csv", "text\na cat\n"),
        ("broken.jsonl", "{"),
        ("short.jsonl", '{"tag": "x", "prompt": "a cat"}'),
        (
            "nowhere.jsonl",
            '{"tag": "", "prompt": "", "include": [{"class": "", "count": 1, "position": ["above", 9]}]}',
        ),
        ("deep.jsonl", "[" * 99_999),
        ("list.jsonl", "[]"),
        ("numbers.jsonl", "[1]"),
        ("tabs.txt", "Prompt\tCategory\na cat\tAnimals\n"),
        ("columns.csv", "id,prompt_en\n1,a cat\n"),
        ("long.txt", "a cat " * 2000),
        ("short_row.csv", "number,prompt\n1\n"),
        ("empty_prompt.jsonl", json.dumps({**GENEVAL, "prompt": " "})),
        ("long_cell.csv", f"prompt\n{'a' * 200_000}\n"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, text: str):
    path = written(tmp_path, name, text)
    with refuses("suite", "must", path):
        read_official(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"prompt": 3}, "line 2: prompt must be a str, got 3"),
        ({"tag": None}, "line 2: tag must be a str, got nothing"),
        ({"include": [3]}, "line 2: include must have objects, got 3"),
        ({"include": [{"class": "cat", "count": "1"}]}, "line 2: count must be a int, got '1'"),
        ({"include": [{"class": "cat", "count": 1, "color": []}]}, "line 2: color must be a str, got []"),
        ({"include": [{"class": "cat", "count": 1, "position": ["near", 0]}]}, "line 2: position must be [left of | "),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_line_and_field(tmp_path: Path, change: dict, problem: str):
    lines = [json.dumps(line) for line in (GENEVAL, {**GENEVAL, **change})]
    path = written(tmp_path, "geneval.jsonl", "\n".join(lines))
    with refuses("suite", f"must be readable ({problem}", path):
        read_official(path)


TIFA = [{"id": "coco_1", "caption": "a cat"}]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("latin.csv", b"prompt\na caf\xe9\n", "it is no UTF-8 at byte 12"),
        ("latin.txt", b"\xff", "it is no UTF-8 at byte 0"),
        ("wide.json", json.dumps(TIFA).encode("utf-16"), "it is no UTF-8 at byte 0"),
        ("short.csv", b"number,prompt\n1,a cat\n2\n", "line 3: prompt is missing"),
        ("commas.csv", b"number,prompt\n1,a cat, a dog\n", "line 2: it has more cells than columns"),
        ("nan.json", json.dumps([{**TIFA[0], "score": float("nan")}], indent=1).encode(), "it has NaN"),
        (
            "twice.json",
            b'{"1": {"prompt": "a cat"}, "1": {"prompt": "a dog"}}',
            "line 1: it has '1' twice in one",
        ),
        ("deep.json", b'{"1":\n' + b"[" * 9999, "it is nested too deeply"),
        ("nan.jsonl", json.dumps(GENEVAL).encode() + b'\n{"prompt": NaN}', "line 2: it has NaN"),
        ("id.json", json.dumps([{**TIFA[0], "id": [1]}]).encode(), "id must be a str, got [1]"),
        ("cap.json", json.dumps([{**TIFA[0], "caption": 1}]).encode(), "caption must be a str, got 1"),
        (
            "none.jsonl",
            json.dumps({**GENEVAL, "include": [{"class": "cat", "count": 0}]}).encode(),
            "line 1: count must be at least 1, got 0",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_and_where(tmp_path: Path, name: str, content: bytes, problem: str):
    path = tmp_path / name
    path.write_bytes(content)
    with refuses("suite", f"must be readable ({problem}", path):
        read_official(path)


def test_a_file_may_begin_with_the_mark_of_utf8(tmp_path: Path):
    path = tmp_path / "prompts.csv"
    path.write_bytes(b"\xef\xbb\xbfprompt\na cat\n")
    assert [prompt.text for prompt in read_official(path)] == ["a cat"]


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("attend-and-excite/animals.csv", 66),
        ("attend-and-excite/animals_objects.csv", 144),
        ("attend-and-excite/objects.csv", 66),
        ("geneval/evaluation_metadata.jsonl", 553),
        ("t2i-compbench/color_val.txt", 300),
        ("t2i-compbench/numeracy_val.txt", 300),
    ],
)
def test_the_published_files_are_read_whole(shared: Path, file: str, count: int):
    prompts = read_official(shared / "prompts" / file)
    assert len(prompts) == count
    for prompt in prompts:
        assert prompt.concepts
        assert all(c.span is not None and prompt.text[slice(*c.span)] == c.text for c in prompt.concepts)
