"""Measure steering on an accelerator: time, memory, host synchronisation, repeatability, number formats.

    python scripts/gpu_check.py --out OUT          # one H100 or H200, under 6 minutes
    python scripts/gpu_check.py --out OUT --toy    # the same on tiny models; so it is wherever there is no CUDA

Writes OUT/gpu_check.json after every measurement, and OUT/emoji-*.png. SDXL, SD3, Flux and Wan have random weights, so
no checkpoint is needed; emoji-unet is steered where its folder is. Every limit of gpu_measure.py is judged, but for
times at toy size, and memory and synchronisations without CUDA. Exits 1 where a section failed or a limit is broken.

Needs torch, diffusers, transformers, accelerate and safetensors in the versions of pyproject.toml, and of what else
semguide asks for only jaxtyping and its wadler-lindig: two small wheels of pure Python. semguide is taken from src.
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "scripts")]

from gpu_measure import CONCEPTS, LIMITS, Calls, Row, Setting, compare, synchronisations, timed  # noqa: E402
from gpu_models import denoiser, one_evaluation, pipeline  # noqa: E402

from semguide import SGT, SGTv1, SGTv2  # noqa: E402
from semguide.guidance import Predictions, Rule, Step  # noqa: E402

TOTAL_SECONDS = 350.0


# ---- sections: each yields its rows one by one ---------------------------------------------------------------------


def eager(family: str, setting: Setting) -> Iterator[tuple[str, Row]]:
    """SDXL or SD3 as it is."""
    pipe = pipeline(family, setting.device, toy=setting.toy)
    yield "batch 1", compare(setting, Calls(pipe), 5 if setting.toy else 20)
    yield "loop", synchronisations(setting, pipe)
    yield "batch 4", compare(setting, Calls(pipe, 4), 5 if setting.toy else 10)
    yield "batch 4, image by image", compare(setting, Calls(pipe, 4, one_call=False), 5 if setting.toy else 10)


def compiled(setting: Setting) -> Iterator[tuple[str, Row]]:
    """SD3 with its transformer compiled."""
    pipe = pipeline("sd3", setting.device, toy=setting.toy)
    pipe.transformer.compile(backend="inductor" if setting.cuda else "eager")
    yield "batch 1", compare(setting, Calls(pipe), 5 if setting.toy else 20)


def offloaded(setting: Setting) -> Iterator[tuple[str, Row]]:
    """SD3 with its transformer brought to the device two blocks at a time."""
    pipe = pipeline("sd3", setting.device, toy=setting.toy)
    pipe.transformer.enable_group_offload(
        setting.device, offload_type="block_level", num_blocks_per_group=2, use_stream=setting.cuda
    )
    yield "batch 1", compare(setting, Calls(pipe), 5)


def rules(setting: Setting) -> Iterator[tuple[str, Row]]:
    """Rules on latents of SDXL, Flux and Wan, beside the 2 + K evaluations of a step."""
    for family in ("sdxl", "flux", "wan"):
        model = denoiser(family, setting.device, toy=setting.toy)
        latents, others = one_evaluation(family, setting.device, toy=setting.toy)
        evaluations = 2 + len(CONCEPTS)
        with torch.no_grad():
            step = evaluations * min(timed(setting, partial(model, latents, **others))[0] for _ in range(3))
        del model
        release(setting)
        uncond, cond, *concepts = (latents[0] + 0.1 * torch.randn_like(latents[0]) for _ in range(evaluations))
        predictions = Predictions(uncond, cond, torch.stack(concepts))
        seconds = {
            rule.name: rule_seconds(setting, rule, predictions) for rule in (SGT(), SGTv1(), SGTv2(warmup_steps=0))
        }
        share = setting.judged("rule", seconds[SGT.name] / step)
        yield family, {"shape": list(latents.shape[1:]), "step_seconds": step, "rule_seconds": seconds, "rule": share}


def rule_seconds(setting: Setting, rule: Rule[Any], predictions: Predictions, runs: int = 20) -> float:
    """Return the seconds of one correction."""

    def corrections() -> None:
        state = rule.initial_state(len(CONCEPTS))
        for _ in range(runs):
            _, state = rule.correct(predictions, Step(2, 50, rule.guidance_scale), state)

    return min(timed(setting, corrections)[0] for _ in range(3)) / runs


def emoji(setting: Setting) -> Iterator[tuple[str, Row]]:
    """The embedded emoji-unet in three number formats, from the same noise; the pictures are kept."""
    from diffusers import StableDiffusionPipeline

    found = [path.parent for room in ("src", "emoji") for path in (ROOT / room).glob("**/emoji-unet/model_index.json")]
    if not found:
        yield "skipped", {"reason": "there is no folder emoji-unet"}
        return
    pictures: dict[str, Tensor] = {}
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        pipe: Any = StableDiffusionPipeline.from_pretrained(found[0], dtype=dtype).to(setting.device)
        pipe.set_progress_bar_config(disable=True)
        calls, steps, name = Calls(pipe, 1 if setting.toy else 4), 3 if setting.toy else 25, str(dtype).split(".")[-1]
        first, second = (calls.steered(steps, "pt").images.float().cpu() for _ in range(2))
        pictures[name] = first
        save_row(first, setting.out / f"emoji-{name}.png")
        levels = 255 * float((first - pictures["float32"]).abs().mean())
        same = setting.judged("difference", float((first - second).abs().max()))
        yield name, {"levels_from_float32": levels, "difference": same}


def save_row(pictures: Tensor, path: Path) -> None:
    """Save pictures, (image, channel, height, width) in [0, 1], side by side."""
    from PIL import Image

    row = torch.cat(list(pictures), dim=-1).permute(1, 2, 0)
    Image.fromarray((255 * row).round().byte().numpy()).save(path)


SECTIONS: dict[str, tuple[float, Callable[[Setting], Iterator[tuple[str, Row]]]]] = {
    "sdxl": (80, partial(eager, "sdxl")),
    "sd3": (80, partial(eager, "sd3")),
    "rules": (50, rules),
    "emoji": (40, emoji),
    "offload": (50, offloaded),
    "compiled": (150, compiled),
}
"""With the seconds that each may take, within `TOTAL_SECONDS`; the one that is hardest to foresee comes last."""


# ---- running -------------------------------------------------------------------------------------------------------


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block once it has taken so long."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done in {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def release(setting: Setting) -> None:
    """Give back the memory of what is no longer used."""
    gc.collect()
    if setting.cuda:
        torch.cuda.empty_cache()


def run_section(name: str, left: float, setting: Setting, report: Callable[[Row], None]) -> None:
    """Run a section in its time, reporting after every row; what fails is part of the results."""
    seconds, section = SECTIONS[name]
    start, rows, error = time.perf_counter(), {}, None
    try:
        with at_most(max(0.001, min(seconds, left))):
            for key, row in section(setting):
                rows[key] = row
                report({"rows": rows})
    except Exception as caught:  # noqa: BLE001  # a section that fails must not lose the others
        error = "".join(traceback.format_exception(caught)[-4:])
    report({"rows": rows, "error": error, "seconds": time.perf_counter() - start})


def summary(sections: dict[str, Row]) -> dict[str, bool | None]:
    """Return whether each limit holds wherever it could be told."""
    rows = [row for section in sections.values() for row in section["rows"].values()]
    told = {kind: [row[kind]["ok"] for row in rows if kind in row and row[kind]["ok"] is not None] for kind in LIMITS}
    return {kind: all(answers) if answers else None for kind, answers in told.items()}


def main(arguments: list[str] | None = None) -> int:
    """Run the sections; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--toy", action="store_true", help="tiny models, as always where there is no CUDA")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), help="these sections")
    given, start = parser.parse_args(arguments), time.perf_counter()
    given.out.mkdir(parents=True, exist_ok=True)
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    setting = Setting(torch.device("cpu" if name == "cpu" else "cuda"), given.toy or name == "cpu", given.out)
    results: Row = {
        "device": name,
        "size": "toy" if setting.toy else "real",
        "torch": torch.__version__,
        "sections": {},
    }

    def report(section: str, row: Row) -> None:
        results["sections"][section] = row
        results.update(ok=summary(results["sections"]), seconds=time.perf_counter() - start)
        partial_file = given.out / "gpu_check.json.partial"
        partial_file.write_text(json.dumps(results, indent=1))
        partial_file.replace(given.out / "gpu_check.json")

    print(f"on {name}, at {results['size']} size", flush=True)
    for section in given.only:
        run_section(section, TOTAL_SECONDS - (time.perf_counter() - start), setting, partial(report, section))
        release(setting)
        row = results["sections"][section]
        print(f"{section}: {row['error'] or 'done'} ({row['seconds']:.0f} s)", flush=True)
    print(json.dumps(results["ok"]))
    return int(any(row["error"] for row in results["sections"].values()) or False in results["ok"].values())


def quiet() -> None:
    """Leave the output to the results."""
    import diffusers
    import transformers

    for package in (diffusers, transformers):
        package.utils.logging.set_verbosity_error()
        package.utils.logging.disable_progress_bar()


if __name__ == "__main__":
    quiet()
    sys.exit(main())
