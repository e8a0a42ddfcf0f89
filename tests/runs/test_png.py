import json
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from semguide.files import atomic, write_json
from semguide.runs.png import RECORD, TRACE, pixel_hash, read_png, write_png

PICTURE = Image.new("RGB", (4, 3), "red")


def test_png_and_its_texts_are_read_back(tmp_path: Path):
    texts = {RECORD: {"prompt": "ein rotes Buch 🍎"}, TRACE: {"similarity": [[0.5, None]] * 1000}}
    write_png(tmp_path / "a.png", PICTURE, texts)
    image, read = read_png(tmp_path / "a.png")
    assert image.tobytes() == PICTURE.tobytes()
    assert read == texts


def test_the_record_is_plain_text_in_the_file(tmp_path: Path):
    write_png(tmp_path / "a.png", PICTURE, {RECORD: {"seed": 7}})
    assert b'semguide\x00{"seed": 7}' in (tmp_path / "a.png").read_bytes()


def test_texts_that_are_no_json_object_are_left_out(tmp_path: Path):
    info = PngImagePlugin.PngInfo()
    info.add_text(RECORD, "not json")
    info.add_text(TRACE, "[1]")
    PICTURE.save(tmp_path / "a.png", pnginfo=info)
    assert read_png(tmp_path / "a.png")[1] == {}


@pytest.mark.parametrize("before", [None, "old"])
def test_an_exception_while_writing_leaves_what_was_there(tmp_path: Path, before: str | None):
    file = tmp_path / "a.txt"
    if before is not None:
        file.write_text(before)

    def write() -> None:
        with atomic(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ([] if before is None else ["a.txt"])
    assert before is None or file.read_text() == before


def test_json_with_a_number_that_json_does_not_know_is_not_written(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_json_keeps_letters_readable(tmp_path: Path):
    write_json(tmp_path / "a.json", {"prompt": "Äpfel"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "Äpfel" in text
    assert json.loads(text) == {"prompt": "Äpfel"}


def test_the_pixel_hash_sees_pixels_size_and_mode_only(tmp_path: Path):
    write_png(tmp_path / "a.png", PICTURE, {RECORD: {"x": 1}})
    assert pixel_hash(read_png(tmp_path / "a.png")[0]) == pixel_hash(PICTURE)
    changed = PICTURE.copy()
    changed.putpixel((0, 0), (254, 0, 0))
    others = [changed, Image.new("RGB", (3, 4), "red"), PICTURE.convert("RGBA")]
    assert len({pixel_hash(image) for image in [PICTURE, *others]}) == 4
