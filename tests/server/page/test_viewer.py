"""A picture enlarged, as a person looks at it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from server.page.conftest import Enter
from support.visitor import Visitor


def test_a_picture_is_enlarged_and_the_keyboard_steps_through_all(visitor: Visitor):
    visitor.set(Steps=3, Images=2)
    visitor.generate()
    page, keys = visitor.page, visitor.page.keyboard
    page.locator(".picture").first.focus()
    keys.press("Enter")
    viewer, title = page.locator("#viewer"), page.locator("#viewer h2")
    expect(title).to_have_text("CFG, seed 0")
    expect(viewer.locator(".hint[role=status]")).to_have_text("Picture 1 of 4")
    for key, shown in [
        ("ArrowRight", "CFG, seed 1"),
        ("ArrowRight", "SGT-BALANCED, seed 0"),
        ("ArrowUp", "CFG, seed 0"),
        ("ArrowLeft", "SGT-BALANCED, seed 1"),
        ("Home", "CFG, seed 0"),
        ("End", "SGT-BALANCED, seed 1"),
    ]:
        keys.press(key)
        expect(title).to_have_text(shown)
    box = page.locator("#viewer .stage img").bounding_box()
    assert box is not None
    assert box["height"] > 500
    expect(viewer.locator("#trajectory h3")).to_have_text("SGT-BALANCED, seed 1")
    expect(viewer.locator("#trajectory path.line[data-concept]")).to_have_count(2)
    keys.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.locator("#board #trajectory h3")).to_have_text("SGT-BALANCED, seed 1")
    expect(page.locator(".picture").nth(3)).to_be_focused()
    expect(page.locator(".picture").nth(3)).to_have_attribute("aria-current", "true")


def test_an_enlarged_picture_is_stepped_through_by_buttons_and_downloaded(visitor: Visitor):
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    page = visitor.page
    page.locator(".picture").first.click()
    page.get_by_role("button", name="Next picture").click()
    expect(page.locator("#viewer h2")).to_have_text("SGT-BALANCED, seed 0")
    with page.expect_download() as picture:
        page.locator("#viewer").get_by_role("link", name="Download").click()
    assert picture.value.suggested_filename == "semguide-sgt-balanced-seed0.png"
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#viewer")).to_be_hidden()


def test_back_leaves_an_enlarged_picture_and_not_the_page(visitor: Visitor):
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    page, viewer = visitor.page, visitor.page.locator("#viewer")
    visitor.set(Steps=3)
    page.locator(".picture").first.click()
    expect(viewer).to_be_visible()
    page.go_back()
    expect(viewer).to_be_hidden()
    expect(page.locator("#results")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Steps", exact=True)).to_have_value("3")  # what was typed since stays
    page.go_forward()
    expect(viewer).to_be_visible()
    page.reload()
    expect(viewer).to_be_visible()
    expect(page.locator("#viewer h2")).to_have_text("CFG, seed 0")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    page.wait_for_function("() => !history.state.picture")
    page.go_back()  # closing it went back already
    expect(page.locator("#results")).to_be_hidden()


def test_a_picture_in_the_making_can_be_enlarged(visitor: Visitor):
    visitor.set(Steps=900, Images=1)
    visitor.page.click("#generate")
    expect(visitor.page.locator(".picture img").first).to_have_attribute("src", re.compile("^data:image/jpeg"))
    visitor.page.locator(".picture").first.click()
    expect(visitor.page.locator("#viewer .hint[role=status]")).to_have_text(
        re.compile(r"Picture 1 of 2, step \d+ of 900")
    )
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#viewer")).to_be_hidden()
    expect(visitor.page.locator("#cancel")).to_be_visible()  # Escape left the viewer, not the run
    visitor.page.keyboard.press("Escape")
    visitor.expect_end("Cancelled")


def test_on_a_phone_an_enlarged_picture_is_as_wide_as_the_screen(enter: Enter):
    visitor = enter(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    visitor.page.locator(".picture").first.tap()
    expect(visitor.page.locator("#viewer h2")).to_have_text("CFG, seed 0")
    widths = visitor.page.evaluate(
        "(d) => [d.scrollWidth, d.clientWidth]", visitor.page.locator("#viewer").element_handle()
    )
    assert widths[0] <= widths[1]
    box = visitor.page.locator("#viewer .stage img").bounding_box()
    assert box is not None
    assert box["width"] > 240
