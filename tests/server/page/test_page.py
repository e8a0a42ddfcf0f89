"""The whole folder: the page at `/` as a person uses it, in a real browser."""

import io
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the browser tests need playwright")
from PIL import Image, ImageSequence
from playwright.sync_api import Browser, expect

from semguide.runs.records import read_description, read_record
from semguide.server.served_models import find_models, load_worker
from semguide.server.settings import ServerSettings
from server.page.conftest import Enter
from support.live_server import MANY_STEPS, Live, running
from support.visitor import Visitor

RECORD_CHANGES = """() => {
  window.seen = [];
  const look = () => {
    const picture = document.querySelector("[aria-label^='SGT-BALANCED, seed'].picture");
    const notes = {
      src: picture?.querySelector("img").getAttribute("src"),
      step: picture?.querySelector(".count").textContent.split(" ")[0],
      points: document.querySelectorAll("#trajectory .point").length,
    };
    for (const [name, value] of Object.entries(notes)) {
      const note = `${name} ${value}`;
      if (value && window.seen.findLast((each) => each.startsWith(name)) !== note) window.seen.push(note);
    }
  };
  new MutationObserver(look).observe(document.getElementById("results"), {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}"""
"""Writes down what the steered picture of the first seed shows, as it changes."""


def test_the_first_view_says_what_it_is_and_is_ready_to_go(visitor: Visitor):
    expect(visitor.page.locator("h1")).to_contain_text("every concept in the prompt")
    expect(visitor.page.locator("#prompt")).to_have_value("a red car and a blue apple")
    visitor.expect_chips("a red car", "a blue apple")
    visitor.page.get_by_role("button", name="a green frog and a yellow bird").click()
    visitor.expect_chips("a green frog", "a yellow bird")


def test_chips_follow_the_prompt_while_it_is_typed(visitor: Visitor):
    visitor.type("a red book")
    visitor.expect_chips("a red book")
    visitor.chip("a red book", "Mute")
    visitor.page.click("#prompt")
    visitor.page.keyboard.press("End")
    visitor.page.keyboard.type(" and a yellow vase")
    visitor.expect_chips("a red book", "a yellow vase")
    expect(visitor.page.locator(".chip.muted .text")).to_have_text(["a red book"])


def test_the_concepts_that_are_shown_are_the_concepts_that_are_steered(visitor: Visitor):
    visitor.type("a red book, a yellow vase and a green frog")
    visitor.expect_chips("a red book", "a yellow vase", "a green frog")
    visitor.chip("a red book", "Mute")
    visitor.chip("a yellow vase", "Edit")
    visitor.page.keyboard.type("a tall vase")
    visitor.page.keyboard.press("Enter")
    visitor.chip("a green frog", "Remove")
    visitor.page.get_by_role("button", name="+ Add").click()
    visitor.page.keyboard.type("a blue star")
    visitor.page.keyboard.press("Enter")
    visitor.expect_chips("a red book", "a tall vase", "a blue star")
    visitor.set(Steps=1, Images=1)
    visitor.generate()
    assert visitor.asked[-1]["semguide"]["concepts"] == ["a tall vase", "a blue star"]
    lines = visitor.page.locator("#trajectory path.line[data-concept]")
    assert [line.get_attribute("data-concept") for line in lines.all()] == ["a tall vase", "a blue star"]
    visitor.page.get_by_role("button", name="Follow the prompt again").click()
    visitor.expect_chips("a red book", "a yellow vase", "a green frog")


def test_a_prompt_sent_before_it_was_split_is_split_first(visitor: Visitor):
    visitor.expect_chips("a red car", "a blue apple")
    visitor.set(Steps=1, Images=1)
    visitor.type("a purple cat")
    visitor.page.keyboard.press("Control+Enter")
    visitor.expect_end()
    assert visitor.asked[-1]["prompt"] == "a purple cat"
    visitor.expect_chips("a purple cat")
    assert visitor.asked[-1]["semguide"]["concepts"] is None, "left to the server, as nobody edited them"


def test_concepts_beyond_the_most_are_no_chips_and_the_page_says_how_to_choose(visitor: Visitor):
    visitor.page.click("#more summary")
    visitor.set(Most_concepts=2)
    visitor.type("a red book, a yellow vase and a green frog")
    visitor.expect_chips("a red book", "a yellow vase")
    expect(visitor.page.locator(".chip-tools .hint")).to_contain_text("without 'a green frog' (more than 2)")
    visitor.set(Most_concepts=3)
    visitor.page.keyboard.press("Tab")
    visitor.expect_chips("a red book", "a yellow vase", "a green frog")


def test_a_prompt_that_is_not_english_is_told_so_and_one_from_right_to_left_is_shown_so(visitor: Visitor):
    visitor.type("قطة حمراء وكلب أزرق")
    expect(visitor.page.locator(".chip-tools .hint")).to_contain_text("English only; name the concepts")
    assert visitor.page.eval_on_selector("#prompt", "field => getComputedStyle(field).direction") == "rtl"


def test_both_methods_are_shown_for_each_seed_with_what_was_measured(visitor: Visitor, site: Live):
    visitor.page.click("#more summary")
    visitor.set(Steps=6, Images=2, Sharpness=1)
    visitor.seed("5")
    visitor.page.get_by_label("Measure every step").check()
    visitor.generate()
    page = visitor.page
    expect(page.locator("#grid").get_by_role("rowheader")).to_have_text([re.compile("CFG"), re.compile("SGT-BALANCED")])
    expect(page.locator("#grid").get_by_role("columnheader")).to_have_text(["seed 5", "seed 6"])
    job = _last_job(visitor, site)
    made = {(image["method"], image["seed"]): image for image in job["images"]}
    order = [("cfg", 5), ("cfg", 6), ("sgt-balanced", 5), ("sgt-balanced", 6)]
    assert visitor.pictures() == [site.http.get(made[key]["url"]).content for key in order]

    page.locator(".picture").nth(3).click()
    page.keyboard.press("Escape")
    trace = made["sgt-balanced", 6]["report"]["trace"]
    expect(page.locator("#trajectory h3")).to_have_text("SGT-BALANCED, seed 6")
    opened = sum(bool(gate) for row in trace["gate"] for gate in row)
    assert opened > 0
    expect(page.locator("#trajectory .gate .strip")).to_have_count(opened)
    expect(page.locator("#trajectory path.plain")).to_have_count(2)
    page.get_by_text("Values as a table").click()
    cells = page.locator(".numbers tbody tr").first.locator("td").all_inner_texts()
    shown = [f"{trace[name][0][0]:.2f}".replace("-", "−") for name in ("similarity", "gate", "weight")]
    assert cells == ["a red car", *shown]
    expect(page.locator(".numbers tbody tr")).to_have_count(6 * 2)
    expect(page.locator(".scores")).to_have_count(4)
    report = made["cfg", 5]["report"]
    shares = [f"{share:.0%}".replace("%", " %") for share in report["alignment"] or []]
    shown = [*shares, f"{report['alignment_rank']} of 2"]
    expect(page.locator(".scores").first.locator("li")).to_have_text([re.compile(re.escape(share)) for share in shown])


def test_pictures_show_progress_and_a_preview_before_they_are_done(visitor: Visitor):
    visitor.page.evaluate(RECORD_CHANGES)
    visitor.set(Steps=40, Images=1)
    visitor.generate()
    seen = visitor.page.evaluate("window.seen")
    sources = [change[len("src ") :] for change in seen if change.startswith("src ")]
    assert len(sources) >= 3
    assert all(source.startswith("data:image/jpeg") for source in sources[:-1])
    assert sources[-1].startswith("blob:")
    counts = [int(change.split()[1]) for change in seen if change.startswith("step ")]
    assert len(set(counts)) > 12
    assert counts == sorted(counts)
    lengths = [int(change.split()[1]) for change in seen if change.startswith("points ")]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 3


def test_cancel_stops_the_job_and_the_page_is_ready_again(visitor: Visitor, site: Live):
    visitor.set(Steps=MANY_STEPS, Images=4)
    visitor.page.click("#generate")
    visitor.page.click("#cancel")
    visitor.expect_end("Cancelled")
    assert _last_job(visitor, site)["status"] == "cancelled"
    expect(visitor.page.locator("#cancel")).to_be_hidden()
    visitor.set(Steps=1, Images=1)
    visitor.generate()


def test_leaving_the_page_frees_the_place_at_the_server(visitor: Visitor, site: Live):
    visitor.set(Steps=MANY_STEPS, Images=4)
    visitor.page.click("#generate")
    expect(visitor.page.locator(".count").first).to_contain_text(str(MANY_STEPS))
    visitor.page.goto("about:blank")
    assert site.until(_last_job(visitor, site)["id"], "cancelled")


def test_the_keyboard_alone_is_enough(visitor: Visitor):
    keys = visitor.page.keyboard
    visitor.expect_chips("a red car", "a blue apple")
    visitor.set(Steps=3, Images=1)
    visitor.page.locator("body").press("Home")
    visitor.page.evaluate("document.activeElement.blur()")
    _tab_to(visitor, "Prompt")
    keys.press("Control+A")
    keys.type("a red book, a green cup and a yellow vase")
    visitor.expect_chips("a red book", "a green cup", "a yellow vase")
    _tab_to(visitor, "Edit concept a red book")
    keys.press("Enter")
    keys.type("a thick book")
    keys.press("Escape")
    visitor.expect_chips("a red book", "a green cup", "a yellow vase")
    keys.press("Enter")
    keys.type("a thick book")
    keys.press("Enter")
    visitor.expect_chips("a thick book", "a green cup", "a yellow vase")
    _tab_to(visitor, "Edit concept a green cup")
    keys.press("Delete")
    visitor.expect_chips("a thick book", "a yellow vase")
    keys.press("Control+Enter")
    visitor.expect_end()
    assert visitor.asked[-1]["semguide"]["concepts"] == ["a thick book", "a yellow vase"]
    _tab_to(visitor, "Step of the trajectory, arrow keys move")
    keys.press("Home")
    expect(visitor.page.locator(".legend thead th").first).to_have_text("step 1 of 3")
    keys.press("ArrowRight")
    expect(visitor.page.locator(".chart")).to_have_attribute("aria-valuetext", re.compile("^Step 2. a thick book"))


def test_a_link_makes_the_same_pictures_again(visitor: Visitor, enter: Enter):
    visitor.type("a red book, a green cup and a yellow vase")
    visitor.expect_chips("a red book", "a green cup", "a yellow vase")
    visitor.chip("a yellow vase", "Mute")
    visitor.set(Steps=4, Images=2, Strength=1.5, Guidance_scale=6)
    visitor.seed("11")
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Negative prompt").fill("a tree")
    visitor.set(Sharpness=0.5, Retries=1)
    visitor.generate()
    assert visitor.asked[-1]["semguide"]["retries"] == 1
    link = visitor.page.evaluate("location.hash")
    other = enter(link)
    other.expect_chips("a red book", "a green cup", "a yellow vase")
    assert other.asked == []  # a link alone makes nothing
    expect(other.page.locator("#repeat")).to_be_focused()
    other.page.keyboard.press("Enter")
    other.expect_end()
    assert other.asked == visitor.asked
    pixels = visitor.pixels()
    assert other.pixels() == pixels
    assert len(set(pixels)) == 4


def test_a_budget_in_the_place_of_steps_shows_what_the_pictures_cost_and_stays_in_the_link(
    visitor: Visitor, enter: Enter
):
    visitor.type("a red book and a yellow vase")
    visitor.expect_chips("a red book", "a yellow vase")
    visitor.set(Images=1)
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Length").select_option("evaluations")
    expect(visitor.page.get_by_role("spinbutton", name="Steps")).to_have_count(0)
    visitor.set(Evaluations=16)
    visitor.generate()
    asked = visitor.asked[-1]["semguide"]
    assert (asked["evaluations"], "steps" in asked) == (16, False)
    expect(visitor.page.locator("#cost")).to_contain_text(re.compile("CFG 16 in 8 steps.*SGT-BALANCED 14 in 5 steps"))
    other = enter(visitor.page.evaluate("location.hash"))
    expect(other.page.get_by_role("spinbutton", name="Evaluations")).to_have_value("16")


def test_the_link_can_be_copied(enter: Enter):
    visitor = enter(permissions=["clipboard-read", "clipboard-write"])
    visitor.set(Steps=1, Images=1)
    visitor.generate()
    visitor.page.click("#copy-link")
    expect(visitor.page.locator("#notice")).to_contain_text("Link copied")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == visitor.page.url


def test_earlier_runs_come_back_also_after_a_reload(visitor: Visitor):
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    first = visitor.pictures()
    visitor.type("a green frog")
    visitor.generate()
    assert visitor.pictures() != first
    visitor.page.reload()
    earlier = visitor.page.locator("#history button")
    expect(earlier).to_have_count(2)
    earlier.nth(1).click()
    expect(visitor.page.locator("#prompt")).to_have_value("a red car and a blue apple")
    visitor.expect_chips("a red car", "a blue apple")
    expect(visitor.page.locator(".picture[data-state=done]")).to_have_count(2)
    assert visitor.pictures() == first
    assert len(visitor.asked) == 2  # nothing was made again


def test_picture_and_run_can_be_downloaded(visitor: Visitor, tmp_path: Path):
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    with visitor.page.expect_download() as picture:
        visitor.page.get_by_role("link", name="Download the picture of SGT-BALANCED, seed 0").click()
    assert picture.value.suggested_filename == "semguide-sgt-balanced-seed0.png"
    picture.value.save_as(tmp_path / "picture.png")
    assert read_record(tmp_path / "picture.png")
    with visitor.page.expect_download() as run:
        visitor.page.click("#save-run")
    assert run.value.suggested_filename == "run.json"
    run.value.save_as(tmp_path / "run.json")
    description = read_description(tmp_path / "run.json")
    assert description["run"]["prompt"] == "a red car and a blue apple"


def test_other_methods_bring_their_own_parameters(visitor: Visitor):
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Method").select_option("sgt-v2")
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    asked = visitor.asked[-1]["semguide"]
    offered = visitor.page.request.get(f"{visitor.url}/v1/methods").json()["methods"]
    (method,) = [each for each in offered if each["name"] == "sgt-v2"]
    assert asked["method"] == "sgt-v2"
    assert asked["parameters"] == {each["name"]: each["default"] for each in method["parameters"]}
    expect(visitor.page.locator("#grid").get_by_role("rowheader")).to_have_text(
        [re.compile("CFG"), re.compile("SGT-V2")]
    )


def test_a_model_of_videos_has_a_number_of_frames_and_the_page_plays_what_it_makes(enter: Enter, tiny: Path, wan: Path):
    models = find_models([str(tiny), str(wan)])
    with running(models, load_worker(models, "cpu"), ServerSettings(port=0)) as films:
        visitor = enter(url=films.url)
        visitor.page.click("#more summary")
        frames = visitor.page.get_by_label("Frames", exact=True)
        expect(frames).to_be_hidden()
        visitor.page.get_by_label("Model").select_option("tiny-wan")
        expect(frames).to_be_visible()
        expect(visitor.page.locator("#model")).to_have_text("tiny-wan, 64 × 64, videos")
        frames.fill("5")
        visitor.set(Images=1)
        visitor.generate()
        assert visitor.asked[-1]["semguide"]["num_frames"] == 5
        pictures = [Image.open(io.BytesIO(file)) for file in visitor.pictures()]
        assert [len(list(ImageSequence.Iterator(picture))) for picture in pictures] == [5, 5]
        other = enter(visitor.page.evaluate("location.hash"), url=films.url)
        expect(other.page.get_by_label("Frames", exact=True)).to_have_value("5")
        for each in (visitor, other):
            each.leave()


def test_a_full_queue_is_told_with_the_time_to_wait(enter: Enter, start_server: Any):
    with start_server(limits={"queue": 1}) as full:
        visitor = enter(url=full.url, complains=True)
        visitor.set(Steps=1, Images=1)
        for _ in range(2):
            running = full.start(steps=MANY_STEPS, n=6)
            full.until(running["id"], "running", "queued")
        visitor.page.click("#generate")
        alert = visitor.page.get_by_role("alert")
        expect(alert).to_contain_text("queue")
        expect(alert.get_by_role("button")).to_have_text(re.compile(r"Try again in \d+ s"))
        expect(alert.get_by_role("button")).to_be_disabled()


def test_a_key_is_asked_for_where_the_server_has_one(enter: Enter, start_server: Any, browser: Browser):
    key = "correct-horse-battery"
    with start_server(api_key=key) as locked:
        context = browser.new_context()
        visitor = Visitor.enter(context, locked.url)
        visitor.page.goto(locked.url)
        visitor.page.get_by_label("API key").fill(key)
        visitor.page.get_by_role("button", name="Use key").click()
        visitor.expect_chips("a red car", "a blue apple")
        visitor.set(Steps=1, Images=1)
        visitor.generate()
        assert len(visitor.pictures()) == 2
        context.close()


def test_a_broken_connection_is_taken_up_again(enter: Enter):
    visitor = enter(complains=True)
    visitor.page.route("**/events", lambda route: route.abort(), times=1)
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    assert len(visitor.asked) == 1


def test_colours_follow_the_system_and_then_the_button(enter: Enter):
    def ground(visitor: Visitor) -> int:
        colour = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    visitor = enter(color_scheme="dark")
    assert ground(visitor) < 100
    visitor.page.get_by_role("button", name="Dark colours", pressed=True).click()
    assert ground(visitor) > 600
    visitor.page.reload()
    assert ground(visitor) > 600
    assert ground(enter(color_scheme="light")) > 600


def test_a_phone_shows_it_all_without_scrolling_sideways(enter: Enter):
    visitor = enter(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    visitor.type("an extraordinarily orange hippopotamus and a purple caterpillar")
    visitor.expect_chips("an extraordinarily orange hippopotamus", "a purple caterpillar")
    visitor.set(Steps=2, Images=3)
    visitor.generate()
    visitor.page.click("#more summary")
    visitor.page.get_by_text("Values as a table").click()
    widths = visitor.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths == [360, 360]
    pictures = [box for box in (each.bounding_box() for each in visitor.page.locator(".picture").all()) if box]
    assert len(pictures) == 6
    assert min(box["width"] for box in pictures) > 120
    plain, steered = pictures[0], pictures[3]  # the pair to compare stands side by side
    assert plain["y"] == steered["y"]


def test_nothing_moves_for_those_who_asked_for_that(enter: Enter):
    visitor = enter(reduced_motion="reduce")
    moving = "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    assert visitor.page.evaluate(moving) == 0


def test_no_script_of_others_could_run(visitor: Visitor):
    policy = visitor.page.request.get(visitor.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "'self'" in policy
    assert visitor.page.locator("script:not([src])").count() == 0


def _last_job(visitor: Visitor, site: Live) -> dict[str, Any]:
    """Return the job that the page followed last."""
    followed = [request.url for request in visitor.requests if request.url.endswith("/events")]
    return site.job(followed[-1].split("/")[-2])


def _tab_to(visitor: Visitor, name: str) -> None:
    """Press Tab until the element with this name has the focus."""
    label = "(e) => e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent"
    for _ in range(40):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(f"({label})(document.activeElement)") == name:
            return
    raise AssertionError(f"{name} cannot be reached with the Tab key")
