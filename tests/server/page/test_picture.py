"""The settings of a picture, chosen or dropped on the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

from server.page.conftest import Enter
from support.visitor import Visitor

DROP = """([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const file = new File([bytes], name, { type: "image/png" });
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(file);
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""


def drop(visitor: Visitor, name: str, content: bytes) -> None:
    visitor.page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def png(**texts: str) -> bytes:
    info, file = PngInfo(), io.BytesIO()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    Image.new("RGB", (8, 8)).save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def test_a_picture_that_is_dropped_fills_the_form_which_makes_it_again(visitor: Visitor, enter: Enter, tmp_path: Path):
    visitor.type("a red book, a yellow vase and a green frog")
    visitor.expect_chips("a red book", "a yellow vase", "a green frog")
    visitor.chip("a green frog", "Mute")
    visitor.set(Steps=4, Images=1, Strength=1.5, Guidance_scale=6)
    visitor.seed("11")
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Negative prompt").fill("a tree")
    visitor.page.get_by_label("Less of").fill("snow: 3; stop=0.6")
    visitor.generate()
    plain, steered = visitor.pictures()
    other = enter()
    drop(other, "one.png", steered)
    expect(other.page.locator("#notice")).to_have_text("These are the settings of one.png. Generate makes it again.")
    other.expect_chips("a red book", "a yellow vase")
    expect(other.page.locator("#prompt")).to_have_value("a red book, a yellow vase and a green frog")
    assert other.asked == []
    other.generate()
    asked, before = (dict(each["semguide"]) for each in (other.asked[-1], visitor.asked[-1]))
    assert {**asked, "seeds": None} == {**before, "seeds": None}
    assert other.pixels()[-1] == Image.open(io.BytesIO(steered)).tobytes()
    other.type("a cat")
    (tmp_path / "two.png").write_bytes(plain)
    other.page.set_input_files("#picture-file", tmp_path / "two.png")
    expect(other.page.locator("#notice")).to_contain_text("These are the settings of two.png.")
    expect(other.page.locator("#prompt")).to_have_value("a red book, a yellow vase and a green frog")


def test_a_picture_without_settings_is_refused_in_one_sentence(visitor: Visitor):
    notice, before = visitor.page.locator("#notice"), visitor.page.locator("#prompt").input_value()
    for name, content, told in [
        ("plain.png", png(), "plain.png holds no settings of semguide: choose a picture as semguide wrote it."),
        ("grid.png", png(semguide='{"digest": "ab"}'), "grid.png holds no settings of semguide"),
        ("odd.png", png(semguide='{"parameters": {"prompt": 3}}'), "odd.png are not as semguide writes them"),
        ("broken.png", png()[:40], "broken.png holds no settings"),
        ("notes.txt", b"a red book", "notes.txt is no PNG file"),
    ]:
        drop(visitor, name, content)
        expect(notice).to_contain_text(told)
    expect(visitor.page.locator("#prompt")).to_have_value(before)
