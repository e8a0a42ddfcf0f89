from pathlib import Path

import pytest

from semguide.files import atomic_folder


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
