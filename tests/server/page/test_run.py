"""A run while it is made and after it: time left, stopping, going back, warnings, a server that is gone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from server.page.conftest import Enter
from support.live_server import MANY_STEPS
from support.visitor import Visitor

VISIBLE_HEADS = """() => [...document.querySelectorAll("th, [role=columnheader], [role=rowheader]")]
  .filter((e) => e.checkVisibility()).map((e) => e.textContent.trim())"""


def test_the_time_left_is_told_and_escape_cancels(visitor: Visitor):
    visitor.set(Steps=MANY_STEPS, Images=2)
    visitor.page.click("#generate")
    expect(visitor.page.locator("#status")).to_have_text(re.compile(r"Picture 1 of 4 · about \d+ (s|min) left"))
    visitor.page.keyboard.press("Escape")
    visitor.expect_end("Cancelled")


def test_back_goes_back_to_the_run_before_and_to_the_form_before_it(visitor: Visitor):
    page, title = visitor.page, visitor.page.locator("#result-title")
    visitor.set(Steps=2, Images=1)
    visitor.type("a red book and a yellow vase")
    visitor.generate()
    first = visitor.pixels()
    visitor.type("a green frog and a blue star")
    visitor.generate()
    page.go_back()
    expect(title).to_have_text("a red book and a yellow vase")
    expect(page.locator("#prompt")).to_have_value("a red book and a yellow vase")
    assert visitor.pixels() == first
    page.go_back()
    expect(page.locator("#results")).to_be_hidden()
    expect(page.locator("#prompt")).to_have_value("a red book and a yellow vase")
    page.go_forward()
    page.go_forward()
    expect(title).to_have_text("a green frog and a blue star")
    assert len(visitor.asked) == 2  # nothing was made again
    page.reload()
    expect(title).to_have_text("a green frog and a blue star")


def test_nothing_is_measured_beyond_what_the_method_needs_and_the_real_cost_is_shown(visitor: Visitor):
    visitor.set(Steps=5, Images=1)
    visitor.generate()
    assert visitor.asked[-1]["semguide"]["full_trace"] is False
    cost = visitor.page.locator("#cost li")
    plain, steered = 2 * 5, 2 * 5 + 2 * 2  # two concepts in the first two of five steps
    expect(cost.nth(0)).to_have_text(re.compile(rf"CFG {plain} in 5 steps, [\d.]+ s"))
    expect(cost.nth(1)).to_have_text(
        re.compile(rf"SGT-BALANCED {steered} in 5 steps, [\d.]+ s, 1\.4 times plain guidance")
    )
    visitor.page.locator(".picture").first.click()
    expect(visitor.page.locator("#trajectory")).to_contain_text("Plain guidance does not look at the concepts")
    expect(visitor.page.locator("#trajectory .legend")).to_be_hidden()
    visitor.page.keyboard.press("Escape")
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Measure every step").check()
    visitor.generate()
    expect(cost.nth(0)).to_have_text(re.compile(r"CFG 20 in 5 steps"))


def test_several_warnings_are_a_list(visitor: Visitor):
    visitor.page.click("#more summary")
    visitor.set(Most_concepts=2, Start=0.3, Steps=1, Images=1)
    visitor.type("a red book, a yellow vase and a green frog")
    visitor.expect_chips("a red book", "a yellow vase")
    visitor.generate()
    notes = visitor.page.locator("#notice li")
    expect(notes).to_have_count(2)
    expect(notes.nth(0)).to_contain_text("without 'a green frog'")
    expect(notes.nth(1)).to_contain_text("sgt-balanced acts at none of the 1 steps")


def test_the_page_says_so_when_the_server_is_gone_and_when_it_is_back(enter: Enter):
    visitor = enter(complains=True)
    page = visitor.page
    visitor.set(Steps=2, Images=1)
    for address in ("**/events", "**/healthz"):
        page.route(address, lambda route: route.abort())
    page.click("#generate")
    expect(page.locator("#status")).to_have_text("The server is gone: 0 of 2 pictures made")
    expect(page.locator("#gone")).to_have_text("The server does not answer")
    expect(page.locator("#progress")).to_have_class("finished")
    expect(page.locator("#generate")).to_have_text("Generate")
    page.unroute("**/healthz")
    expect(page.locator("#gone")).to_be_hidden()


def test_no_table_has_an_empty_head_and_nothing_a_percentage_that_was_not_fitted(enter: Enter):
    for width in (1280, 360):
        visitor = enter(viewport={"width": width, "height": 800})
        visitor.set(Steps=2, Images=2)
        visitor.generate()
        visitor.page.get_by_text("Values as a table").click()
        heads = visitor.page.evaluate(VISIBLE_HEADS)
        assert len(heads) > 8
        assert "" not in heads
        assert "%" not in visitor.page.locator("#results").inner_text()
        expect(visitor.page.locator(".scores li").first).to_have_text(re.compile(r"^[12] of 2$"))
