"""Prompt files that hold prompts and no more."""

import json
from pathlib import Path

from semguide.evaluation.official import read_official
from support.refusals import refuses

LONG = "A metal ladder stands against a brick wall. Nearby, a shovel leans against a mound of earth."


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.txt").write_text(text, encoding="utf-8")
    return path


def test_dpg_bench_is_a_folder_of_prompts_whose_names_are_their_ids(tmp_path: Path):
    folder = folder_of(tmp_path / "prompts", COCOval3=LONG + "\n", diffdb1="a cat")
    first, second = read_official(folder)
    assert (first.text, first.category, first.ids) == (LONG, "dpg-bench", ("COCOval3",))
    assert (second.text, second.ids) == ("a cat", ("diffdb1",))
    assert [concept.head for concept in first.concepts][:2] == ["ladder", "wall"]


def test_a_folder_of_lists_is_refused_and_so_is_one_without_prompts(tmp_path: Path):
    lists = folder_of(tmp_path / "lists", color_val="a cat\na dog\n")
    with refuses("suite", "a folder with color_val.txt of 2 lines", lists):
        read_official(lists)
    empty = folder_of(tmp_path / "empty")
    with refuses("suite", "a folder without txt files", empty):
        read_official(empty)


def test_genai_bench_numbers_its_prompts(tmp_path: Path):
    entries = {"00000": {"id": "00000", "prompt": "a cat chases a dog", "models": {}}, "00001": {"prompt": "a bird"}}
    (tmp_path / "genai_image.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    first, second = read_official(tmp_path / "genai_image.json")
    assert (first.text, first.category, first.ids) == ("a cat chases a dog", "genai-bench", ("00000",))
    assert (second.text, second.ids) == ("a bird", ("00001",))
