"""More of this and less of that, in the form."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from server.page.conftest import Enter
from support.visitor import Visitor

LESS = 'snow: 3; stop=0.6, "a red, big hat"'


def fill(visitor: Visitor, more: str, less: str) -> None:
    if not visitor.page.get_by_label("More of").is_visible():
        visitor.page.click("#more summary")
    visitor.page.get_by_label("More of").fill(more)
    visitor.page.get_by_label("Less of").fill(less)


def expect_edits(visitor: Visitor, more: str, less: str) -> None:
    expect(visitor.page.get_by_label("More of")).to_have_value(more)
    expect(visitor.page.get_by_label("Less of")).to_have_value(less)


def test_edits_are_asked_for_counted_and_kept_by_link_and_history(visitor: Visitor, enter: Enter):
    visitor.set(Steps=5, Images=1)
    expect(visitor.page.locator("#estimate")).to_contain_text("CFG 10, SGT-BALANCED 14 each")
    fill(visitor, "a hat", LESS)
    expect(visitor.page.locator("#estimate")).to_contain_text("CFG 23, SGT-BALANCED 27 each")
    visitor.generate()
    assert visitor.asked[-1]["semguide"]["edits"] == [
        {"text": "a hat", "direction": "more"},
        {"text": "snow", "direction": "less", "scale": 3, "stop": 0.6},
        {"text": "a red, big hat", "direction": "less"},
    ]
    expect(visitor.page.locator("#cost li").nth(1)).to_contain_text(re.compile("SGT-BALANCED 27 in 5 steps"))
    edited = visitor.pixels()
    other = enter(visitor.page.evaluate("location.hash"))
    other.page.click("#more summary")
    expect_edits(other, "a hat", LESS)
    fill(visitor, "", "")
    visitor.generate()
    assert visitor.asked[-1]["semguide"]["edits"] == []
    assert visitor.pixels() != edited
    visitor.page.locator("#history button").nth(1).click()
    expect_edits(visitor, "a hat", LESS)


def test_what_is_no_edit_is_told_before_anything_is_made(enter: Enter):
    visitor = enter(complains=True)
    estimate = visitor.page.locator("#estimate")
    for more, less, told in [
        ("a hat", "a hat", "must not ask for more and for less of one thing, got 'a hat'"),
        ("a hat: 0", "", "edits.0.scale: Input should be greater than 0"),
        ("a hat; stopp=1", "", "edits.0.stopp: Extra inputs are not permitted"),
        ("a hat; stop=0.1", "", "must have a stop above the start"),
    ]:
        fill(visitor, more, less)
        expect(estimate).to_contain_text(told)
        expect(estimate).to_have_class(re.compile("refused"))
    fill(visitor, "a hat", "")
    expect(estimate).to_contain_text("denoiser evaluations")
    assert visitor.asked == []
