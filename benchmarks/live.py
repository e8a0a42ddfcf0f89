"""Live mode of the page: from the last key to both pictures, in a real browser, beside the bare pipeline's own time.

    python benchmarks/live.py [--prompts 30] [--pace 0.15] [--model M] [--lora PATH] [--scheduler CLASS] [--steps 4]
                              [--guidance-scale 1] [--method sgt-balanced] [--chromium PATH] [--out out/live.json]

Types validation prompts into the page of a server, key by key at a typist's pace, and takes the time from the last key
to the frame that shows the plain and the steered picture of the whole prompt. After each prompt the same two pictures
are made in this process, by the pipeline's own call without semguide, and steered without a server, so that all three
see the same machine; only one works at a time. The first prompt is not counted. Needs `pip install playwright` and a
Chromium.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from serve import p95, say, server, write

from semguide.evaluation.suites import limited, suite
from semguide.models.options import LoadOptions, parse_lora
from semguide.runs.environment import processor

if TYPE_CHECKING:
    from playwright.sync_api import Page

SUITE = "emoji-ae"
SEED = 0
PATIENCE = 600_000  # milliseconds until both pictures are there
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CLOCK = """() => {
  const clock = (window.clock = { key: 0, shown: null });
  const prompt = document.getElementById("prompt");
  prompt.addEventListener("keydown", (event) => Object.assign(clock, { key: event.timeStamp, shown: null }), true);
  const isShown = (picture) => {
    const image = picture.querySelector("img");
    const own = picture.getAttribute("aria-busy") === "false" && picture.dataset.state === "done";
    return own && image.complete && image.naturalWidth > 0;
  };
  new MutationObserver(() => {
    const pictures = [...document.querySelectorAll("#grid .picture")];
    const own = document.getElementById("result-title").textContent === prompt.value.trim();
    if (clock.shown !== null || !own || pictures.length !== 2 || !pictures.every(isShown)) return;
    requestAnimationFrame(() => (clock.shown ??= performance.now()));
  }).observe(document.getElementById("results"), { subtree: true, childList: true, attributes: true });
}"""
"""Notes when the last key was pressed, and when both pictures of what stands in the field were shown."""


@contextmanager
def opened(url: str, options: argparse.Namespace) -> Iterator[Page]:
    """Open the page in live mode, with the settings of the command line."""
    from playwright.sync_api import sync_playwright

    settings = {"steps": options.steps, "scale": options.guidance_scale, "method": options.method}
    fragment = urlencode({"prompt": "a red car and a blue apple", "n": 1, "seed": SEED, **settings})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/#{fragment}")
        page.get_by_role("switch", name="Live").check()
        page.evaluate(CLOCK)
        yield page
        browser.close()


def typed(page: Page, prompt: str, pace: float, hand: random.Random) -> float:
    """Type a prompt in the place of the one before; return the seconds from the last key to both pictures."""
    page.click("#prompt")
    page.keyboard.press("Control+A")
    for letter in prompt:
        page.wait_for_timeout(1000 * pace * hand.uniform(0.5, 1.5))
        page.keyboard.type(letter)
    page.wait_for_function("() => window.clock.shown !== null", polling=50, timeout=PATIENCE)
    return page.evaluate("() => window.clock.shown - window.clock.key") / 1000


def bare(options: argparse.Namespace) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """Return what makes the picture of a prompt in this process: the pipeline's own call, and the steered one."""
    from semguide import steer
    from semguide.cli.console import hush_libraries
    from semguide.guidance import METHODS
    from semguide.models import choose_device, load
    from semguide.runs.generation import make_generator

    hush_libraries()
    pipe = load(options.model, choose_device(), loading(options))
    pipe.set_progress_bar_config(disable=True)
    steered = steer(pipe, METHODS[options.method]())
    settings = {"num_inference_steps": options.steps, "guidance_scale": options.guidance_scale}

    def plain(prompt: str) -> Any:
        return pipe(prompt, generator=make_generator(SEED), **settings)

    return plain, lambda prompt: steered(prompt, generator=make_generator(SEED), **settings)


def loading(options: argparse.Namespace) -> LoadOptions:
    """Return how the model is loaded."""
    return LoadOptions(loras=tuple(map(parse_lora, options.lora)), scheduler=options.scheduler)


def seconds(make: Callable[[str], Any], prompt: str) -> float:
    """Return how long something takes with a prompt."""
    start = time.perf_counter()
    make(prompt)
    return time.perf_counter() - start


def measure(url: str, options: argparse.Namespace) -> list[dict[str, float]]:
    """Return the seconds of each prompt: live, plain and steered."""
    plain, steered = bare(options)
    prompts = [prompt.text for prompt in limited(suite(SUITE, "validation"), options.prompts + 1)]
    hand, rows = random.Random(SEED), list[dict[str, float]]()
    with opened(url, options) as page:
        for prompt in prompts:
            live = typed(page, prompt, options.pace, hand)
            rows.append({"live": live, "plain": seconds(plain, prompt), "steered": seconds(steered, prompt)})
            say(", ".join(f"{name} {value:.3f} s" for name, value in rows[-1].items()) + f": {prompt}")
    return rows[1:]


def summary(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return median and 95th percentile of the seconds from the last key to both pictures, beside those of the pair.

    Args:
        rows: Seconds of each prompt, at least one: `live`, and those of the bare pair, `plain` and `steered`.
    """
    columns = {name: [row[name] for row in rows] for name in ("live", "plain", "steered")}
    columns["pair"] = [row["plain"] + row["steered"] for row in rows]
    told = {
        name: {
            "median": round(statistics.median(values), 3),
            "p95": round(p95(values), 3),
        }
        for name, values in columns.items()
    }
    ratio = statistics.median(columns["live"]) / statistics.median(columns["pair"])
    return {"prompts": len(rows), "seconds": told, "live_of_pair": round(ratio, 3)}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; what is left out is the model's own."""
    from semguide.models import default_model
    from semguide.runs.request import find_model, own_steps_and_scale

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=30)
    parser.add_argument("--pace", type=float, default=0.15, help="mean seconds between two keys")
    parser.add_argument("--model", default=default_model())
    parser.add_argument("--lora", action="append", default=[])
    parser.add_argument("--scheduler", default=None)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance-scale", type=float, default=None)
    parser.add_argument("--method", default="sgt-balanced")
    parser.add_argument("--chromium", default=os.environ.get("SEMGUIDE_CHROMIUM") or found)
    parser.add_argument("--out", type=Path, default=None, help="JSON file")
    options = parser.parse_args(arguments)
    steps, scale = own_steps_and_scale(find_model(options.model, loading(options)))
    options.steps = steps if options.steps is None else options.steps
    options.guidance_scale = scale if options.guidance_scale is None else options.guidance_scale
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write JSON."""
    import torch

    options = parse(arguments)
    asked = {name: value for name, value in vars(options).items() if name not in ("out", "chromium")}
    machine = {"processor": processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    flags = ["--model", options.model, *(flag for lora in options.lora for flag in ("--lora", lora))]
    with server([*flags, *(["--scheduler", options.scheduler] if options.scheduler else [])]) as url:
        rows = measure(url, options)
    found = summary(rows)
    write(options.out, {"asked": asked, "machine": machine, **found, "rows": rows})
    for name, times in found["seconds"].items():
        print(f"{name}: median {times['median']} s, p95 {times['p95']} s")
    print(f"live: {found['live_of_pair']} times the bare pair")


if __name__ == "__main__":
    main()
