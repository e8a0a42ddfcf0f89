from pathlib import Path

import pytest

from semguide.files import atomic_folder, parse_json, read_json, without_nan


def test_a_folder_takes_the_place_of_the_old_one_as_a_whole(tmp_path: Path):
    path = tmp_path / "deep" / "folder"
    for name in ("one", "two"):
        with atomic_folder(path) as temporary:
            (temporary / name).write_text(name)
            assert not (path / name).exists()
        assert [file.name for file in path.iterdir()] == [name]
    assert [file.name for file in path.parent.iterdir()] == ["folder"]


def test_an_exception_leaves_the_old_folder_and_nothing_else(tmp_path: Path):
    with atomic_folder(tmp_path / "folder") as temporary:
        (temporary / "one").write_text("one")

    def torn() -> None:
        with atomic_folder(tmp_path / "folder") as temporary:
            (temporary / "two").write_text("half")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        torn()
    assert [file.relative_to(tmp_path).as_posix() for file in sorted(tmp_path.rglob("*"))] == ["folder", "folder/one"]


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (DEEP, "nested too deeply"),
        ("[" * 65 + "]" * 65, "nested too deeply"),
        ("NaN", "NaN, which is no finite number"),
        ("[-Infinity]", "-Infinity, which is no finite number"),
        ("1e999", "1e999, which is no finite number"),
        ("1" + "0" * 5000, "a number that is too large"),
        ("18446744073709551616", "a number that is too large"),
        ('{"a": "\\udcff"}', "a lone surrogate"),
        ('{"\\ud83d": 1}', "a lone surrogate"),
        ('[{"seed": 1, "steps": 2, "seed": 3}]', "'seed' twice in one object"),
        (b'{"a": "\xff"}', "no UTF-8 at byte 7"),
        ("[1]".encode("utf-16"), "no UTF-8 at byte 0"),
    ],
)
def test_json_that_no_program_should_meet_is_refused_in_one_sentence(text: str | bytes, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_json(text)


def test_json_in_any_form_that_programs_write_is_read(tmp_path: Path):
    (tmp_path / "a.json").write_bytes(
        b'\xef\xbb\xbf{"a": [1, -2.5e-3, 18446744073709551615, "\\ud83d\\ude00 \xc3\xa9"]}'
    )
    assert read_json(tmp_path / "a.json") == {"a": [1, -0.0025, 2**64 - 1, "😀 é"]}


def test_nan_and_infinity_are_none_in_what_is_written():
    assert without_nan({"a": [float("nan"), (1.0, float("inf"))], "b": "x"}) == {"a": [None, [1.0, None]], "b": "x"}
