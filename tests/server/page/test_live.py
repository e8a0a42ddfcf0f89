"""Live mode: the pictures follow the form while it changes, and none on the page is of another."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from server.page.conftest import Enter
from support.live_server import MANY_STEPS, Live, wait_for
from support.visitor import Visitor

FIRST, SECOND = "a red book and a yellow vase", "a green frog and a blue star"
BUSY = "#results[aria-busy=true], #results [aria-busy=true]"


@pytest.fixture
def typist(visitor: Visitor) -> Visitor:
    """Somebody who has switched live mode on, and waited for the first pictures."""
    visitor.set(Steps=2, Images=1)
    visitor.page.get_by_role("switch", name="Live").check()
    expect_shown(visitor, "a red car and a blue apple")
    return visitor


def expect_shown(visitor: Visitor, prompt: str) -> None:
    """Wait until the pictures of a prompt are on the page, and nothing is marked any more."""
    expect(visitor.page.locator("#result-title")).to_have_text(prompt)
    expect(visitor.page.locator("#status")).to_have_text(re.compile(r"picture.* in "))
    expect(visitor.page.locator(BUSY)).to_have_count(0)


def jobs_of(visitor: Visitor) -> dict[str, str]:
    """Return the latest job of each prompt that was asked for."""
    posts = [each for each in visitor.requests if each.method == "POST" and each.url.endswith("/v1/jobs")]
    replies = [(post.post_data_json or {}, post.response()) for post in posts]
    return {body["prompt"]: reply.json()["id"] for body, reply in replies if reply is not None}


def hold_first(visitor: Visitor, address: str) -> list[Route]:
    """Hold back the first request to an address from now on; it will be in the list."""
    held = list[Route]()
    visitor.page.route(address, lambda route: route.continue_() if held else held.append(route))
    return held


def test_what_is_typed_ends_with_the_pictures_of_the_last_key_which_are_those_of_generate(typist: Visitor, site: Live):
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    typist.expect_chips("a red book", "a yellow vase")
    expect(typist.page.locator("#trajectory path.line[data-concept]")).to_have_count(2)
    expect(typist.page.locator("#trajectory path.line.c0, #trajectory path.line.c1")).to_have_count(2)
    pictures = typist.pixels()
    assert len(pictures) == 2
    statuses = {prompt: site.job(id)["status"] for prompt, id in jobs_of(typist).items()}
    assert statuses.pop(FIRST) == "done"
    typist.page.get_by_role("switch", name="Live").uncheck()
    typist.generate()
    assert typist.pixels() == pictures


def test_settings_and_chips_change_the_pictures_too(typist: Visitor):
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    before = typist.pixels()
    typist.seed("5")
    expect(typist.page.get_by_role("columnheader", name="seed 5")).to_be_visible()
    expect_shown(typist, FIRST)
    assert typist.pixels() != before
    typist.page.get_by_role("button", name="+ Add").click()
    typist.page.keyboard.type("a blue star")
    typist.page.keyboard.press("Enter")
    expect(typist.page.locator("#trajectory path.line[data-concept]")).to_have_count(3)
    typist.chip("a blue star", "Mute")
    expect(typist.page.locator("#trajectory path.line[data-concept]")).to_have_count(2)
    assert typist.asked[-1]["semguide"]["concepts"] == ["a red book", "a yellow vase"]


def test_pictures_that_are_not_of_the_form_are_marked_at_once_until_their_own_are_there(typist: Visitor):
    page, held = typist.page, hold_first(typist, "**/v1/jobs")
    page.click("#prompt")
    page.keyboard.press("End")
    page.keyboard.type("s")
    assert page.locator(".picture[aria-busy=true] img:visible").count() == 2, "still there, but marked"
    assert page.locator("#trajectory[aria-busy=true]").count() == 1
    assert page.locator("#status").inner_text() == ""
    wait_for(lambda: page.wait_for_timeout(10) or held)
    held[0].continue_()
    expect_shown(typist, "a red car and a blue apples")
    expect(page.locator(".picture[aria-busy=false] img:visible")).to_have_count(2)


def test_one_request_is_in_the_air_and_an_answer_to_an_older_one_is_dropped(typist: Visitor, site: Live):
    page, held = typist.page, hold_first(typist, "**/v1/jobs")
    page.locator("#prompt").fill(FIRST)
    wait_for(lambda: page.wait_for_timeout(10) or held)
    answer = held[0].fetch()  # the server has it, but the page has no answer
    page.locator("#prompt").fill(SECOND)
    page.wait_for_timeout(200)
    assert typist.asked[-1]["prompt"] == FIRST
    held[0].fulfill(response=answer)
    expect_shown(typist, SECOND)
    late = site.until(answer.json()["id"], "done", "cancelled")
    assert all(late["id"] not in request.url for request in typist.requests if "/events" in request.url)


def test_a_picture_of_an_older_prompt_that_comes_late_is_dropped(typist: Visitor):
    page, held = typist.page, hold_first(typist, "**/images/0.png")
    page.locator("#prompt").fill(FIRST)
    wait_for(lambda: page.wait_for_timeout(10) or held)
    page.locator("#prompt").fill(SECOND)
    expect_shown(typist, SECOND)
    pictures = typist.pixels()
    held[0].continue_()
    page.wait_for_timeout(200)
    assert typist.pixels() == pictures
    expect_shown(typist, SECOND)


def test_work_for_what_is_no_longer_wanted_stops(typist: Visitor, site: Live):
    typist.set(Steps=MANY_STEPS)
    typist.type(FIRST)
    wait_for(lambda: typist.page.wait_for_timeout(10) or FIRST in jobs_of(typist))
    site.until(jobs_of(typist)[FIRST], "running")
    typist.page.keyboard.type("s")
    stopped = site.until(jobs_of(typist)[FIRST], "cancelled")
    assert stopped["images"][1]["step"] == 0, "a step, and not a picture"
    wait_for(lambda: typist.page.wait_for_timeout(10) or f"{FIRST}s" in jobs_of(typist))
    site.until(jobs_of(typist)[f"{FIRST}s"], "running")
    typist.page.keyboard.press("Escape")
    site.until(jobs_of(typist)[f"{FIRST}s"], "cancelled")
    expect(typist.page.locator(".picture[aria-busy=true]")).to_have_count(2)
    assert site.engine._count_running_images() == 0


def test_what_cannot_be_drawn_says_why_under_the_button_and_asks_for_nothing(typist: Visitor):
    asked = len(typist.asked)
    typist.page.locator("#prompt").fill("")
    expect(typist.page.locator("#estimate.refused")).to_contain_text("Type a prompt first")
    expect(typist.page.locator(".picture[aria-busy=true]")).to_have_count(2)
    expect(typist.page.locator("#notice")).to_be_empty()
    assert len(typist.asked) == asked
    typist.page.get_by_role("switch", name="Live").uncheck()
    expect(typist.page.locator(BUSY)).to_have_count(0)
    typist.page.get_by_role("switch", name="Live").check()
    expect(typist.page.locator(".picture[aria-busy=true]")).to_have_count(2)
    typist.type("a red book")
    expect_shown(typist, "a red book")
    expect(typist.page.locator(".chip-tools .hint")).to_contain_text("plain guidance, drawn once")
    assert len(typist.pictures()) == 1


def test_a_muted_concept_waits_for_those_of_the_present_prompt(typist: Visitor):
    typist.type(FIRST)
    typist.chip("a red book", "Mute")
    typist.page.click("#prompt")
    typist.page.keyboard.press("End")
    typist.page.keyboard.type(" and a green frog")
    expect_shown(typist, f"{FIRST} and a green frog")
    asked = [body["semguide"]["concepts"] for body in typist.asked if body["prompt"].endswith("frog")]
    assert asked == [["a yellow vase", "a green frog"]], "and not those of the prompt before"


def test_live_pictures_are_kept_by_generate_and_by_nothing_else(typist: Visitor):
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    expect(typist.page.locator("#history-list li")).to_have_count(0)
    asked = len(typist.asked)
    typist.page.click("#generate")
    expect(typist.page.locator("#history-list li")).to_have_count(1)
    assert len(typist.asked) == asked, "nothing was made again"
    typist.type(SECOND)
    expect_shown(typist, SECOND)
    typist.page.locator("#history-list button").click()
    expect(typist.page.locator("#result-title")).to_have_text(FIRST)
    expect(typist.page.locator(BUSY)).to_have_count(0)
    typist.set(Images=2)
    typist.page.click("#generate")
    typist.expect_end()
    assert len(typist.pictures()) == 4, "all seeds"
    expect(typist.page.locator(BUSY)).to_have_count(0)


def test_an_enlarged_live_picture_is_closed_by_going_back(typist: Visitor):
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    typist.page.locator(".picture").first.click()
    expect(typist.page.locator("#viewer")).to_be_visible()
    typist.page.keyboard.press("Escape")
    expect(typist.page.locator("#viewer")).to_be_hidden()
    expect(typist.page.locator("#prompt")).to_have_value(FIRST)
    expect_shown(typist, FIRST)


def test_it_is_off_at_first_asks_for_nothing_then_and_is_remembered(enter: Enter):
    visitor = enter()
    switch = visitor.page.get_by_role("switch", name="Live")
    expect(switch).not_to_be_checked()
    visitor.type(FIRST)
    visitor.expect_chips("a red book", "a yellow vase")
    assert visitor.asked == []
    expect(visitor.page.locator("#results")).to_be_hidden()
    visitor.set(Steps=1)
    switch.focus()
    visitor.page.keyboard.press("Space")
    expect_shown(visitor, FIRST)
    visitor.page.keyboard.press("Space")
    visitor.type(SECOND)
    visitor.expect_chips("a green frog", "a blue star")
    visitor.page.wait_for_timeout(100)
    assert {body["prompt"] for body in visitor.asked} == {FIRST}
    expect(visitor.page.locator(BUSY)).to_have_count(0)
    switch.check()
    visitor.page.reload()
    expect(switch).to_be_checked()


def test_the_link_of_live_pictures_has_their_own_concepts_and_they_are_seen_beside_each_other(typist: Visitor):
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    typist.page.locator("#prompt").fill(SECOND)
    expect_shown(typist, SECOND)
    typist.page.click("#generate")
    typist.page.wait_for_url(re.compile("concept=a\\+green\\+frog"))
    assert "red" not in typist.page.url
    plain, steered = (picture.bounding_box() for picture in typist.page.locator(".picture").all())
    assert plain is not None
    assert steered is not None
    assert plain["y"] == steered["y"]
    expect(typist.page.locator("#prompt")).to_be_in_viewport()
    typist.page.evaluate("scrollTo(0, 0)")
    expect(typist.page.locator(".picture").nth(1)).to_be_in_viewport()


def test_nothing_is_said_aloud_while_one_types(typist: Visitor):
    typist.page.evaluate(
        """() => {
          window.said = [];
          for (const id of ["status", "chips-status"]) {
            const place = document.getElementById(id);
            new MutationObserver(() => window.said.push(place.textContent)).observe(place, {childList: true});
          }
        }"""
    )
    typist.type(FIRST)
    expect_shown(typist, FIRST)
    wait_for(lambda: typist.page.wait_for_timeout(10) or "Concepts" in typist.page.evaluate("window.said.join()"))
    said = typist.page.evaluate("window.said.filter((text) => text)")
    assert [text for text in said if "Concepts" in text][-1] == "Concepts: a red book, a yellow vase"
    assert len(said) < len(FIRST) / 3, "what is there once, not at every letter"
