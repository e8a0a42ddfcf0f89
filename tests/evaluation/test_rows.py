import json
from pathlib import Path

import pytest

from semguide.errors import SemguideWarning
from semguide.evaluation.rows import RowWriter, read_rows
from semguide.files import atomic


def test_rows_of_several_writers_are_read_together(tmp_path: Path):
    for label, ids in (("all", "ab"), ("1-of-2", "c")):
        writer = RowWriter(tmp_path, label)
        for image_id in ids:
            writer.write({"id": image_id, "image": None, "prompt": "un café\u2028"})
        writer.close()
    assert sorted(row["id"] for row in read_rows(tmp_path)) == ["a", "b", "c"]
    assert read_rows(tmp_path)[0]["prompt"] == "un café\u2028"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_writer_without_rows_leaves_no_file(tmp_path: Path):
    RowWriter(tmp_path, "all").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path, cut: int):
    lines = [json.dumps({"id": image_id, "image": None}) for image_id in "ab"]
    (tmp_path / "all-1.jsonl").write_text(lines[0] + "\n" + lines[1][:cut])
    assert [row["id"] for row in read_rows(tmp_path)] == ["a"]


def test_of_two_rows_of_an_image_the_one_with_a_picture_counts(tmp_path: Path):
    rows = [{"id": "a", "image": None}, {"id": "a", "image": "images/a.png"}, {"id": "a", "image": None}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_rows(tmp_path) == [rows[1]]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]


def test_a_folder_with_the_name_of_a_file_of_rows_is_named_and_skipped(tmp_path: Path):
    (tmp_path / "a.jsonl").mkdir()
    with pytest.warns(SemguideWarning, match=r"a\.jsonl is no file of rows and is skipped"):
        assert read_rows(tmp_path) == []


def test_a_foreign_line_is_named_and_skipped(tmp_path: Path):
    lines = [
        '{"id": "a"}',
        "[1]",
        '{"id": 3}',
        '{"id": "b", "x": NaN}',
        "[" * 99_999,
        "",
        '{"id": "c"}',
        '{"id": "d", "bad": 1}',
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.warns(SemguideWarning) as caught:
        rows = read_rows(tmp_path, lambda row: "it is bad" if "bad" in row else None)
    assert [row["id"] for row in rows] == ["a", "c"]
    told = [str(warning.message).removeprefix(f"{tmp_path / 'x.jsonl'} ") for warning in caught]
    skipped = " is no row of this bench and is skipped: "
    assert [sentence.partition(skipped)[0] for sentence in told] == [f"line {number}" for number in (2, 3, 4, 5, 6, 8)]
    assert told[-1].endswith("it is bad")
    assert told[1].endswith("it is no object with an id")
