"""Make the pictures of the documentation, and what the notebook shows: `python docs/make_pictures.py` (some minutes).

Everything comes from the embedded checkpoints and fixed seeds, so the same code and checkpoints give the same pictures.
`python docs/make_pictures.py NAME...` makes some of them only: demo, methods, other-methods, steps, strength, geometry,
sheet, flow, turbo, world, notebook, page (which needs playwright and a Chromium). At the end every PNG in docs/images,
those of other commands, too, is reduced to 256 colours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from semguide import CFG, BalancedSGT, Result, decompose, steer
from semguide.cli.main import app
from semguide.evaluation.suites import limited, suite
from semguide.files import atomic
from semguide.guidance import Rule
from semguide.models import describe, load
from semguide.models.examples import read_examples
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import judged
from semguide_emoji.evaluation.verdict import look
from semguide_emoji.judge import Judge
from semguide_emoji.training.sheets import save_sheet

DOCS = Path(__file__).resolve().parent
IMAGES = DOCS / "images"
PROMPT, MODEL = "a red car and a blue apple", "emoji-unet"
SHOWN_STEPS = (1, 3, 5, 7, 9, 12, 16, 25)
"""Steps of the picture `steps.png`, counted from 1; those beyond the model's steps are left out."""
STRENGTHS = (0.0, 0.5, 1.0, 2.0, 4.0)
SEARCHED_SEEDS = range(32)
GREY = "#777777"


@dataclass(frozen=True)
class SampledImage:
    """One image: what `steer` returned, and the estimate of the finished picture at every step, (h, w, 3) in [0, 1]."""

    result: Result
    estimates: list[np.ndarray]


@cache
def pipeline(name: str = MODEL) -> Any:
    """Load a checkpoint, once."""
    pipe = load(name, "cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@cache
def make(rule: Rule[Any], seed: int) -> SampledImage:
    """Make one image with a rule, and keep what each step takes the finished picture to be."""
    pipe, model, estimates = pipeline(), describe(MODEL), []
    original = pipe.scheduler.step

    def step(output: torch.Tensor, timestep: Any, sample: torch.Tensor, *rest: Any, **named: Any) -> Any:
        alpha = pipe.scheduler.alphas_cumprod[int(timestep)]
        estimates.append((sample - (1 - alpha).sqrt() * output) / alpha.sqrt())
        return original(output, timestep, sample, *rest, **named)

    pipe.scheduler.step = step
    try:
        result = steer(pipe, rule)(
            PROMPT,
            num_inference_steps=model.num_inference_steps,
            height=model.height,
            width=model.width,
            generator=torch.Generator().manual_seed(seed),
            full_trace=True,
        )
    finally:
        del pipe.scheduler.step
    return SampledImage(result, [decoded(latents) for latents in estimates])


@torch.no_grad()
def decoded(latents: torch.Tensor) -> np.ndarray:
    """Decode latents to a picture, (height, width, 3) in [0, 1]."""
    vae = pipeline().vae
    pixels = vae.decode(latents / vae.config.scaling_factor).sample[0]
    return (pixels / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()


def rules() -> tuple[CFG, BalancedSGT]:
    """Return plain guidance and the default rule, at the model's guidance scale."""
    scale = describe(MODEL).guidance_scale or 7.5
    return CFG(scale), BalancedSGT(scale)


@cache
def telling_seed() -> int:
    """Return the first seed at which SGT gets more concepts right than plain CFG; 0 where there is none."""
    judge, concepts = Judge.load(ASSETS / "emoji-judge"), decompose(PROMPT)
    for seed in SEARCHED_SEEDS:
        plain, steered = (sum(judged(look(judge, make(rule, seed).result.images[0]), concepts)) for rule in rules())
        if steered > plain:
            return seed
    return 0


def save(figure: Figure, name: str) -> None:
    """Write a figure, the same bytes for the same figure."""
    with atomic(IMAGES / name) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def generate(source: str, name: str, *compare: str, seeds: int = 4, prompt: str = PROMPT) -> None:
    """Run `semguide generate` and keep one of its pictures under a name of our own."""
    with tempfile.TemporaryDirectory() as folder:
        options = [option for method in compare for option in ("--compare", method)]
        options += ["--method", "sgt", "--num-images", str(seeds), "--device", "cpu", "--out", folder]
        app(["generate", prompt, *options], standalone_mode=False)
        shutil.copyfile(Path(folder, source), IMAGES / name)


def draw_demo() -> None:
    """Plain guidance against BalancedSGT, four seeds of the first two examples: the picture of the front page."""
    parts = [IMAGES / f"demo-{number}.png" for number in range(2)]
    for part, example in zip(parts, read_examples(describe(MODEL).path).examples, strict=False):
        generate("grid.png", part.name, "cfg", prompt=example.prompt)
    grids = [Image.open(part).convert("RGB") for part in parts]
    whole = Image.new("RGB", (max(grid.width for grid in grids), sum(grid.height for grid in grids)), "white")
    for number, grid in enumerate(grids):
        whole.paste(grid, (0, sum(above.height for above in grids[:number])))
    whole.save(IMAGES / "demo.png")
    for part in parts:
        part.unlink()


def draw_methods() -> None:
    """The published rules beside BalancedSGT and plain guidance, pictures and trajectories."""
    published = ("cfg", "sgt-v1", "sgt-v2")
    generate("grid.png", "methods.png", *published)
    generate("trajectory.png", "trajectory.png", *published, seeds=2)


def draw_other_methods() -> None:
    """The other methods beside BalancedSGT and plain guidance."""
    generate("grid.png", "other-methods.png", "cfg", "composable", "sega", "co3-composition")


def draw_steps() -> None:
    """Two runs of one seed: the picture that each step is heading for, and the similarities over the steps."""
    seed = telling_seed()
    runs = {name: make(rule, seed) for name, rule in zip(("cfg", "sgt"), rules(), strict=True)}
    count = len(runs["cfg"].estimates)
    shown = [step for step in SHOWN_STEPS if step <= count]
    figure = Figure(figsize=(8.6, 5.2), dpi=110, layout="constrained")
    layout = figure.add_gridspec(3, len(shown), height_ratios=(1, 1, 2.1))
    for row, (name, made) in enumerate(runs.items()):
        for column, step in enumerate(shown):
            axes = figure.add_subplot(layout[row, column])
            picture(axes, made.estimates[step - 1])
            if row == 0:
                axes.set_title(f"step {step}", fontsize=9)
            if column == 0:
                axes.set_ylabel(name)
    draw_similarities(figure.add_subplot(layout[2, :]), runs)
    figure.suptitle(f"{PROMPT}, seed {seed}", fontsize=10)
    save(figure, "steps.png")


def draw_similarities(axes: Any, runs: dict[str, SampledImage]) -> None:
    """Draw cos(p, s_k) over the steps: dashed without the rule, solid with it, shaded where its gate is open."""
    steps = np.arange(1, len(runs["cfg"].estimates) + 1)
    for name, made in runs.items():
        trace = made.result.trace
        for k, concept in enumerate(trace.concepts[0]):
            style = {"cfg": "--", "sgt": "-"}[name]
            axes.plot(steps, trace.similarity[0][:, k], style, color=f"C{k}", label=f"{concept}, {name}", linewidth=1.5)
            for step in np.flatnonzero(trace.gate[0][:, k]):
                opening = 0.6 * float(trace.gate[0][step, k])
                axes.axvspan(step + 0.5, step + 1.5, color=f"C{k}", alpha=opening, linewidth=0)
    axes.set_xlim(0.5, steps[-1] + 0.5)
    axes.set_xlabel("step")
    axes.set_ylabel("similarity cos(p, s)")
    axes.legend(fontsize=8, ncols=2)


def picture(axes: Any, pixels: np.ndarray) -> None:
    """Show a picture without ticks."""
    axes.imshow(pixels, interpolation="lanczos")
    axes.set_xticks([])
    axes.set_yticks([])


def draw_strength() -> None:
    """One seed with more and more of the correction."""
    scale = describe(MODEL).guidance_scale or 7.5
    figure = Figure(figsize=(8.6, 1.95), dpi=110, layout="constrained")
    for axes, strength in zip(figure.subplots(1, len(STRENGTHS)), STRENGTHS, strict=True):
        picture(axes, np.asarray(make(BalancedSGT(scale, strength=strength), telling_seed()).result.images[0]) / 255)
        axes.set_title(f"strength {strength:g}", fontsize=9)
    save(figure, "strength.png")


def draw_geometry() -> None:
    """The correction as arrows: the prompt's guidance, a concept's, and the part of it that is missing."""
    figure = Figure(figsize=(7.0, 2.9), dpi=110, layout="constrained")
    axes: Any = figure.subplots()
    prompt, concept, target = np.array([4.0, 0.0]), np.array([1.2, 2.4]), np.array([4.0, 1.5])
    foot = np.array([concept[0], 0.0])
    arrow(axes, (0, 0), prompt, "black", "p: guidance of the prompt", (1.6, -0.28))
    arrow(axes, (0, 0), concept, "C0", "$s_k$: guidance of a concept", (-0.05, 2.62))
    arrow(axes, foot, concept, "C1", "perp($s_k$, p): what p misses of it", (1.35, 1.9))
    arrow(axes, prompt, target, "C1", "added: the longer, the further\nthe concept lags behind", (4.1, 0.7))
    arrow(axes, (0, 0), target, "C2", "p, steered", (2.6, 1.42))
    axes.plot(foot[0] + np.array([-0.15, -0.15, 0]), np.array([0, 0.15, 0.15]), color=GREY, linewidth=1)
    angle = np.linspace(0, np.arctan2(concept[1], concept[0]))
    axes.plot(0.5 * np.cos(angle), 0.5 * np.sin(angle), color="C0", linewidth=1)
    axes.text(-0.2, 0.62, r"$c_k$ = cosine", color="C0", fontsize=9, ha="right")
    axes.set_xlim(-1.4, 6.3)
    axes.set_ylim(-0.5, 2.8)
    axes.set_aspect("equal")
    axes.axis("off")
    save(figure, "geometry.png")


def arrow(axes: Any, start: Any, end: Any, color: str, text: str, at: tuple[float, float]) -> None:
    """Draw an arrow and its name."""
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)
    axes.text(*at, text, color=color, fontsize=9, va="center")


def draw_sheet(name: str = MODEL) -> None:
    """The first 64 single-object test prompts by plain guidance, one seed."""
    model = describe(name)
    pictures = [
        pipeline(name)(
            prompt.text,
            num_inference_steps=model.num_inference_steps,
            guidance_scale=model.guidance_scale,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
        ).images
        for prompt in limited(suite("emoji-single", "test"), 64)
    ]
    save_sheet(torch.cat(pictures) * 2 - 1, IMAGES / f"{name}.png", columns=8, scale=2)


def draw_world() -> None:
    """The sheet of docs/world.md."""
    sheet = str(IMAGES / "world.png")
    app(
        ["scenes", "--count", "16", "--seed", "0", "--size", "128", "--out", sheet, "--overwrite"],
        standalone_mode=False,
    )


def shoot_page() -> None:
    """The page after a run: bright, dark, and on a phone."""
    from playwright.sync_api import sync_playwright

    with served() as address, sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        path = os.environ.get("SEMGUIDE_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
        page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page()
        page.set_default_timeout(300_000)
        page.goto(address)
        page.locator("#sliders .field").first.wait_for()
        page.locator(".chip .text").nth(1).wait_for()  # of the first example
        page.click("#generate")
        page.get_by_text("Generating", exact=True).wait_for()
        page.get_by_text("Generate", exact=True).wait_for()
        for name, width, scheme in (("page", 1280, "light"), ("page-dark", 1280, "dark"), ("page-phone", 540, "light")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.mouse.move(0, 0)
            page.screenshot(path=str(IMAGES / f"{name}.png"), full_page=True)


@contextmanager
def served() -> Generator[str, None, None]:
    """Run `semguide serve` with the embedded checkpoint at a free port, and give its address."""
    command = [sys.executable, "-c", "from semguide.cli.main import app; app()", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield next(found.group() for line in server.stdout if (found := re.search(r"http://[\w.:]+", line)))
        server.terminate()


def run_notebook() -> None:
    """Store in the notebook what its cells show."""
    notebook = DOCS.parent / "notebooks" / "semguide.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(DOCS / "_ext" / "notebook.py"), str(notebook), "--store"]
        subprocess.run(command, cwd=folder, check=True)


def reduce_colours(file: Path) -> None:
    """Store a picture with 256 colours, which take a quarter of the bytes and can hardly be told from all of them."""
    with Image.open(file) as picture:
        if picture.mode == "P":
            return
        reduced = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    with atomic(file) as temporary:
        reduced.save(temporary, format="PNG", optimize=True)


PICTURES: dict[str, Callable[[], None]] = {
    "demo": draw_demo,
    "methods": draw_methods,
    "other-methods": draw_other_methods,
    "steps": draw_steps,
    "strength": draw_strength,
    "geometry": draw_geometry,
    "sheet": draw_sheet,
    "flow": partial(draw_sheet, "emoji-flow"),
    "turbo": partial(draw_sheet, "emoji-turbo"),
    "world": draw_world,
    "notebook": run_notebook,
    "page": shoot_page,
}


def main(names: list[str]) -> None:
    """Make the pictures named, or all."""
    if unknown := set(names) - set(PICTURES):
        raise SystemExit(f"pictures must be of {', '.join(PICTURES)}, got {', '.join(sorted(unknown))}")
    os.environ["MPLBACKEND"] = "agg"
    for name in names or PICTURES:
        print(name, flush=True)
        PICTURES[name]()
    for file in IMAGES.glob("*.png"):
        reduce_colours(file)


if __name__ == "__main__":
    main(sys.argv[1:])
