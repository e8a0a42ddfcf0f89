"""The form: what can be asked for, and what is said before anything is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from semguide.models.examples import FILE
from semguide.runs.request import Request, plan_run
from semguide.server.served_models import find_models, load_worker
from semguide.server.settings import ServerSettings
from semguide_emoji import ASSETS
from server.page.conftest import Enter
from support.live_server import PROMPT, running
from support.visitor import Visitor

EXAMPLES = {
    "chosen": "Three of nine prompts.",
    "seeds": 16,
    "best_scale": 12.0,
    "examples": [
        {"prompt": "a red book and a yellow vase", "right": {"cfg": 3, "sgt-balanced": 12}, "right_at_best_scale": 5},
        {"prompt": "a cat and a dog", "right": {"cfg": 0, "sgt-balanced": 9}, "right_at_best_scale": 1},
    ],
}


def test_seeds_may_be_a_list_and_a_link_keeps_it(visitor: Visitor, enter: Enter):
    visitor.seed("7, 3..4")
    expect(visitor.page.get_by_role("spinbutton", name="Images")).to_have_count(0)
    visitor.set(Steps=1)
    visitor.generate()
    assert (visitor.asked[-1]["n"], visitor.asked[-1]["semguide"]["seeds"]) == (3, [7, 3, 4])
    assert "seed" not in visitor.asked[-1]["semguide"]
    heads = visitor.page.locator("#grid").get_by_role("columnheader")
    expect(heads).to_have_text(["seed 7", "seed 3", "seed 4"])
    other = enter(visitor.page.evaluate("location.hash"))
    expect(other.page.get_by_role("textbox", name="Seed", exact=True)).to_have_value("7,3,4")


@pytest.mark.parametrize("text", ["", "three", "3,,4", "5..3", "3,3", "0..99999999999", "-1"])
def test_what_is_no_seed_is_told_before_anything_is_made(visitor: Visitor, text: str):
    visitor.seed(text)
    visitor.page.click("#generate")
    expect(visitor.page.locator("#notice")).to_contain_text("Seeds must be a whole number, or up to 4 different ones")
    expect(visitor.page.get_by_role("textbox", name="Seed", exact=True)).to_be_focused()
    assert visitor.asked == []


def test_a_random_seed_is_another_one_for_each_run_and_stays_to_be_seen(visitor: Visitor):
    visitor.set(Steps=1, Images=1)
    visitor.page.get_by_label("Random").check()
    for _ in range(2):
        visitor.generate()
        seed = visitor.asked[-1]["semguide"]["seed"]
        expect(visitor.page.get_by_role("textbox", name="Seed", exact=True)).to_have_value(str(seed))
    first, second = (asked["semguide"]["seed"] for asked in visitor.asked)
    assert first != second


def test_size_and_sampler_can_be_chosen_and_a_link_keeps_them(visitor: Visitor, enter: Enter):
    visitor.page.click("#more summary")
    size, sampler = visitor.page.get_by_label("Size"), visitor.page.get_by_label("Sampler")
    assert "64 × 64, the model's own" in size.locator("option").all_inner_texts()
    assert "DDPM" in sampler.locator("option").all_inner_texts()
    size.select_option("Other")
    visitor.set(Width=128, Height=64, Steps=2, Images=1)
    sampler.select_option("DDPM")
    visitor.generate()
    assert (visitor.asked[-1]["size"], visitor.asked[-1]["semguide"]["scheduler"]) == ("128x64", "DDPMScheduler")
    assert visitor.page.evaluate("document.querySelector('.picture img').naturalWidth") == 128
    other = enter(visitor.page.evaluate("location.hash"))
    other.page.click("#more summary")
    expect(other.page.get_by_role("spinbutton", name="Width")).to_have_value("128")
    expect(other.page.get_by_label("Sampler")).to_have_value("DDPMScheduler")


def test_strength_is_explained_in_a_word(visitor: Visitor):
    field = visitor.page.locator(".field", has=visitor.page.get_by_role("spinbutton", name="Strength"))
    usual = float(visitor.page.get_by_role("spinbutton", name="Strength").input_value())
    expect(field.locator(".hint")).to_have_text("Corrects: as usual")
    for value, word in [(0, "not at all, plain guidance"), (usual / 2, "gently"), (2 * usual, "strongly")]:
        visitor.set(Strength=value)
        expect(field.locator(".hint")).to_have_text(f"Corrects: {word}")


def test_a_scale_of_1_is_no_guidance_and_is_steered(visitor: Visitor):
    field = visitor.page.locator(".field", has=visitor.page.get_by_role("spinbutton", name="Guidance scale"))
    expect(field.locator(".hint")).to_have_text("")
    visitor.type("a cat and a dog")
    visitor.set(Guidance_scale=1, Steps=2, Images=1)
    expect(field.locator(".hint")).to_have_text("No guidance, for models of a few steps; sgt-balanced only.")
    visitor.generate()
    expect(visitor.page.locator(".picture")).to_have_count(2)


def test_the_defaults_of_a_folder_are_those_of_command_and_api(enter: Enter, tiny: Path, tmp_path: Path):
    folder = tmp_path / "own-defaults"
    shutil.copytree(tiny, folder)
    (folder / "semguide.json").write_text(json.dumps({"num_inference_steps": 3, "guidance_scale": 3.5, "width": 128}))
    models = find_models([str(folder)])
    with running(models, load_worker(models, "cpu"), ServerSettings(port=0)) as server:
        visitor = enter(url=server.url)
        for label, value in [("Steps", "3"), ("Guidance scale", "3.5"), ("Images", "4")]:
            expect(visitor.page.get_by_role("spinbutton", name=label)).to_have_value(value)
        visitor.set(Images=1)
        visitor.generate()
        followed = [request.url for request in visitor.requests if request.url.endswith("/events")]
        page = server.job(followed[-1].split("/")[-2])
        api = server.job(server.http.post("/v1/jobs", json={"prompt": PROMPT}).json()["id"])
        command = plan_run(Request(PROMPT, model=str(folder), device="cpu")).run
        visitor.leave()
    names = ("steps", "guidance_scale", "width", "height", "scheduler", "retries")
    assert [page[name] for name in names] == [api[name] for name in names] == [3, 3.5, 128, 64, None, 0]
    assert page["methods"][-1] == api["methods"][-1]
    assert page["methods"][-1] == {"name": command.methods[0].name, "parameters": command.methods[0].parameters}
    assert (command.sampling.num_inference_steps, command.sampling.guidance_scale) == (3, 3.5)
    assert len(command.seeds) == 4


def test_a_single_concept_is_said_to_be_plain_guidance_and_drawn_once(visitor: Visitor):
    hint = visitor.page.locator(".chip-tools .hint")
    visitor.type("a red book")
    expect(hint).to_have_text("One concept has no other to be balanced with: this is plain guidance, drawn once.")
    visitor.set(Steps=1, Images=2)
    visitor.generate()
    expect(visitor.page.locator(".picture")).to_have_count(2)
    expect(visitor.page.locator("#grid").get_by_role("rowheader")).to_have_text(["CFG plain guidance"])
    expect(visitor.page.locator("#notice")).to_contain_text("plain classifier-free guidance (cfg) is drawn, once")
    visitor.page.click("#more summary")
    visitor.page.get_by_label("Method").select_option("sgt-v1")  # which steers one, too
    expect(hint).to_have_count(0)


def test_too_many_concepts_are_told_before_anything_is_made(enter: Enter, start_server: Any):
    with start_server(limits={"concepts": 2}) as small:
        visitor = enter(url=small.url)
        visitor.type(PROMPT)
        visitor.expect_chips("a red book", "a yellow vase")
        visitor.page.get_by_role("button", name="+ Add").click()
        visitor.page.keyboard.type("a star")
        visitor.page.keyboard.press("Enter")
        told = "3 concepts are more than the 2 that this server takes: mute or remove 1 concept."
        expect(visitor.page.locator(".chip-tools .hint")).to_have_text(told)
        visitor.page.click("#generate")
        expect(visitor.page.locator("#notice")).to_have_text(told)
        assert visitor.asked == []
        visitor.chip("a star", "Mute")
        visitor.set(Steps=1, Images=1)
        visitor.generate()
        assert visitor.asked[-1]["semguide"]["concepts"] == ["a red book", "a yellow vase"]
        visitor.leave()


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")  # the text encoder reads a part of it
def test_a_long_prompt_is_shown_small_and_never_fills_the_window(visitor: Visitor):
    def size(selector: str) -> list[float]:
        look = "(e) => [parseFloat(getComputedStyle(e).fontSize), e.getBoundingClientRect().height]"
        return visitor.page.eval_on_selector(selector, look)

    short = size("#prompt")
    visitor.page.fill("#prompt", "a red book and a yellow vase on a wooden table, " * 20)
    expect(visitor.page.locator("#prompt")).to_have_class("long")
    font, height = size("#prompt")
    assert font < short[0]
    assert height <= 0.4 * 800 + 1
    visitor.set(Steps=1, Images=1)
    visitor.generate()
    font, height = size("#result-title")
    assert font < 16
    assert height < 100


def test_what_is_written_from_right_to_left_is_shown_so_everywhere(visitor: Visitor):
    arabic = "قطة حمراء"
    visitor.type(f"{arabic} a red book")
    visitor.page.get_by_label("Negative prompt").fill(arabic)
    visitor.page.get_by_role("button", name="+ Add").click()
    visitor.page.keyboard.type(arabic)
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("button", name="+ Add").click()
    visitor.page.keyboard.type("a red book")
    visitor.page.keyboard.press("Enter")
    visitor.set(Steps=2, Images=1)
    visitor.generate()
    direction = "(elements) => elements.map((e) => getComputedStyle(e).direction)"
    for selector in ("#prompt", "#negative input", "#result-title", "#history .words"):
        assert visitor.page.locator(selector).evaluate_all(direction) == ["rtl"], selector
    assert visitor.page.locator(".legend bdi").first.evaluate("(e) => getComputedStyle(e).unicodeBidi") == "isolate"


def test_the_examples_that_come_with_emoji_unet_are_shown_with_the_shares_of_both_methods(
    enter: Enter, tiny: Path, tmp_path: Path
):
    folder, real = tmp_path / "with-real-examples", ASSETS / "emoji-unet" / FILE
    shutil.copytree(tiny, folder)
    shutil.copyfile(real, folder / FILE)
    told = json.loads(real.read_text(encoding="utf-8"))
    first, seeds = told["examples"][0], told["seeds"]
    models = find_models([str(folder)])
    with running(models, load_worker(models, "cpu"), ServerSettings(port=0)) as server:
        visitor = enter(url=server.url)
        expect(visitor.page.locator("#prompt")).to_have_value(first["prompt"])
        row = visitor.page.locator("#examples tbody tr").first
        expect(row.get_by_role("rowheader")).to_have_text(first["prompt"])
        shares = [first["right"]["cfg"], first["right"]["sgt-balanced"], first["right_at_best_scale"]]
        expect(row.locator("td")).to_have_text([f"{right} of {seeds}" for right in shares])
        visitor.leave()
    assert first["right_at_best_scale"] <= seeds / 2


def test_examples_stand_beside_how_often_each_method_is_right_and_fill_the_prompt(
    enter: Enter, tiny: Path, tmp_path: Path
):
    folder = tmp_path / "with-examples"
    shutil.copytree(tiny, folder)
    (folder / FILE).write_text(json.dumps(EXAMPLES))
    models = find_models([str(folder)])
    with running(models, load_worker(models, "cpu"), ServerSettings(port=0)) as server:
        visitor = enter(url=server.url)
        expect(visitor.page.locator("#prompt")).to_have_value("a red book and a yellow vase")
        table = visitor.page.locator("#examples table")
        heads = ["Every concept right", "CFG", "SGT-BALANCED", "CFG at its best scale, 12"]
        expect(table.get_by_role("columnheader")).to_have_text(heads)
        expect(table.locator("tbody tr").nth(1).locator("td")).to_have_text(["0 of 16", "9 of 16", "1 of 16"])
        expect(visitor.page.locator("#examples")).to_contain_text("Three of nine prompts.")
        table.get_by_role("button", name="a cat and a dog").click()
        expect(visitor.page.locator("#prompt")).to_have_value("a cat and a dog")
        visitor.expect_chips("a cat", "a dog")
        visitor.leave()
