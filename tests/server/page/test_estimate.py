"""The cost of a run, before it is made."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from support.visitor import Visitor


def test_what_a_run_will_cost_stands_beside_the_button_and_is_what_it_costs(visitor: Visitor):
    estimate = visitor.page.locator("#estimate")
    visitor.type("a red book, a yellow vase and a green frog")
    visitor.set(Steps=5, Images=2)
    expect(estimate).to_have_text("4 pictures, 52 denoiser evaluations: CFG 10, SGT-BALANCED 16 each")
    visitor.chip("a green frog", "Mute")
    expect(estimate).to_have_text("4 pictures, 48 denoiser evaluations: CFG 10, SGT-BALANCED 14 each")
    visitor.generate()
    cost = visitor.page.locator("#cost li")
    expect(cost).to_have_text([re.compile("^CFG 10 in"), re.compile("^SGT-BALANCED 14 in")])
    visitor.chip("a yellow vase", "Mute")
    expect(estimate).to_have_text("2 pictures, 20 denoiser evaluations: CFG 10 each")
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Method").select_option("sgt-v1")
    visitor.chip("a yellow vase", "Mute")
    visitor.seed("3,5,7")
    visitor.set(Retries=2)
    expect(estimate).to_have_text(
        re.compile(r"^6 pictures, \d+ to \d+ denoiser evaluations: CFG 10, SGT-V1 \d+ to \d+")
    )
    visitor.page.fill("#prompt", "")
    expect(estimate).to_have_text("")


def test_a_number_is_left_alone_while_it_is_typed(visitor: Visitor):
    steps = visitor.page.get_by_role("spinbutton", name="Steps", exact=True)
    steps.fill("")
    visitor.page.wait_for_timeout(600)
    expect(steps).to_have_value("")
    steps.press_sequentially("7")
    expect(visitor.page.locator("#estimate")).to_contain_text("CFG 14")
