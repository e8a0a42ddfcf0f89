from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from semguide_emoji.scenes import SMALL_WORLD, TIDY, CaptionNoise, World
from semguide_emoji.scenes.preview import draw_preview

Cli = Callable[..., Result]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_sheet_is_drawn_the_same_for_the_same_seed(cli: Cli, tmp_path: Path):
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        result = cli("scenes", "--count", 5, "--seed", seed, "--size", 64, "--out", tmp_path / "new" / name)
        assert result.exit_code == 0
        assert "wrote " in result.stdout
    a, b, c = (pixels(tmp_path / "new" / name) for name in ("a.png", "b.png", "c.png"))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    assert a.shape[1] == 3 * (64 + 8) + 8
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.png", "b.png", "c.png"]


def test_worlds_and_captions_can_be_chosen(cli: Cli, tmp_path: Path):
    options = {"full": (), "small": ("--world", "small"), "noisy": ("--noisy",)}
    for name, more in options.items():
        assert cli("scenes", "--size", 64, "--out", tmp_path / f"{name}.png", *more).exit_code == 0
    full, small, noisy = (pixels(tmp_path / f"{name}.png") for name in options)
    assert (full != small).any()
    assert (full != noisy).any()


def test_a_scene_does_not_depend_on_how_many_are_drawn():
    few, many = (np.asarray(draw_preview(SMALL_WORLD, TIDY, count, 3, 64)) for count in (3, 4))
    np.testing.assert_array_equal(few[:120], many[:120])


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_scene_gets_a_caption_below_it(count: int):
    sheet = np.asarray(draw_preview(World(), CaptionNoise(), count, 0, 64))
    columns = int(np.ceil(np.sqrt(count)))
    for index in range(count):
        x, y = 8 + index % columns * 72, 8 + index // columns * (64 + 45 + 8)
        assert (sheet[y + 64 : y + 64 + 45, x : x + 64] < 128).any()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--count", 0, "--count must be from 1 to 256, got 0"),
        ("--count", 257, "--count must be from 1 to 256, got 257"),
        ("--size", 100, "--size must be a multiple of 16 from 32 to 512, got 100"),
        ("--size", 1024, "--size must be a multiple of 16 from 32 to 512, got 1024"),
        ("--seed", -1, "--seed must be from 0"),
        ("--out", "scenes.jpg", "--out must be a PNG file, got 'scenes.jpg'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(cli: Cli, option: str, value: object, message: str):
    result = cli("scenes", option, value)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert not list(Path().iterdir())


def test_a_folder_that_is_a_file_is_refused(cli: Cli, tmp_path: Path):
    (tmp_path / "file").write_text("text")
    result = cli("scenes", "--out", tmp_path / "file" / "scenes.png")
    assert result.exit_code == 2
    assert "--out must be a folder" in result.stderr


def test_another_file_or_a_link_is_replaced_only_where_that_was_asked_for(cli: Cli, tmp_path: Path):
    theirs, link = tmp_path / "theirs.png", tmp_path / "link.png"
    Image.new("RGB", (8, 8)).save(theirs)
    link.symlink_to(theirs)
    for out in (theirs, link):
        result = cli("scenes", "--count", 1, "--size", 64, "--out", out)
        assert result.exit_code == 2
        assert "--out must not be a link or another file" in result.stderr
    assert pixels(theirs).shape == (8, 8, 3)
    for more in (["--overwrite"], []):
        assert cli("scenes", "--count", 1, "--size", 64, "--out", theirs, *more).exit_code == 0


def test_a_failed_write_leaves_the_earlier_sheet(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "scenes.png"
    assert cli("scenes", "--count", 1, "--size", 32, "--out", out).exit_code == 0
    earlier = out.read_bytes()

    def full(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = cli("scenes", "--count", 2, "--size", 32, "--out", out)
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert out.read_bytes() == earlier
    assert [path.name for path in tmp_path.glob("*.tmp")] == []
