"""The key observation: which signal of the early steps tells which concepts will be missing, and how well.

    python benchmarks/observation.py --out out/observation [--suite emoji-ae] [--seeds 4] [--limit N]

makes the validation prompts and the test prompts under plain guidance, with the concepts evaluated at every step, has
each concept judged, and writes

    observation.json    AUROC of each signal by third of the steps, with intervals over prompts (test prompts); the
                        detector fitted on validation prompts, its AUROC, Brier score and reliability on test prompts
    observation.png     AUROC by step, and the reliability diagram
    validation-*.npz, test-*.npz   images, and every signal of every concept, under a hash of checkpoint, prompts,
                        seeds, steps and rule; made again only where they are missing

    python benchmarks/observation.py --out out/rules --rules benchmarks/observation.json [...]

makes the test prompts under each rule of the file, and writes of each what `observation.json` has of plain guidance
without a detector (rules.json), and the AUROC of the lag (a concept's cosine less the other ones') by step (rules.png).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from semguide.evaluation.calibration import reliability
from semguide.evaluation.image_batches import ImageBatch
from semguide.evaluation.observation import (
    Observations,
    ObservedImages,
    auroc,
    auroc_interval,
    fit_detector,
    observed,
    probabilities,
    record_signals,
)
from semguide.evaluation.suites import Split, SuitePrompt, limited, suite
from semguide.files import atomic, digest, write_arrays, write_json
from semguide.guidance import CFG, METHODS, Rule
from semguide.guidance.signals import SIGNALS
from semguide.models import fingerprint, load
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings, verdicts
from semguide_emoji.judge import Judge

SPLITS: tuple[Split, ...] = ("validation", "test")


LAG = "relative_cosine"
"""The signal that is compared between rules."""


def observations(split: Split, rule: Rule[Any], options: argparse.Namespace) -> Observations:
    """Return the observations of a split: its images from their file, or made and written to it, and judged."""
    prompts = limited(suite(options.suite, split), options.limit)
    decisive = [options.seeds, options.steps, rule.name, asdict(rule), [prompt.text for prompt in prompts]]
    path = options.out / f"{split}-{digest([fingerprint(ASSETS / options.model), *decisive])[:16]}.npz"
    if path.exists():
        stored = np.load(path)
        watched = ObservedImages(
            ImageBatch(stored["images"], float(stored["evaluations"])), {n: stored[n] for n in SIGNALS}
        )
    else:
        watched = made(split, rule, prompts, options)
        write_arrays(path, **asdict(watched.pictures), **watched.signals)
    found = findings(Judge.load(ASSETS / "emoji-judge"), watched.pictures.images)
    return observed(watched, verdicts(found, prompts), prompts)


def made(split: Split, rule: Rule[Any], prompts: Sequence[SuitePrompt], options: argparse.Namespace) -> ObservedImages:
    """Make the images of a split, and say how far it is."""
    pipe: Any = load(options.model)
    pipe.set_progress_bar_config(disable=True)
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        print(f"{rule.name}, {split}: {done} of {len(prompts) * options.seeds} images", flush=True)

    return record_signals(
        pipe,
        rule,
        prompts,
        range(options.seeds),
        num_inference_steps=options.steps,
        progress=progress,
    )


def table(seen: Observations) -> dict[str, dict[str, Any]]:
    """Return AUROC of each signal, of its mean over each third of the steps and by step."""
    thirds = {"first": (0.0, 1 / 3), "second": (1 / 3, 2 / 3), "last": (2 / 3, 1.0)}
    return {
        name: {
            **{third: auroc_interval(seen.early(name, stop, start), seen) for third, (start, stop) in thirds.items()},
            "by_step": [auroc(column, seen.right) for column in seen.signals[name].T],
        }
        for name in SIGNALS
    }


def draw(path: Path, signals: dict[str, dict[str, Any]], diagram: Any) -> None:
    """Draw AUROC by step, and the reliability of the detector."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for name, found in signals.items():
        left.plot(found["by_step"], label=name.replace("_", " "), linewidth=2.4 if name == LAG else 1.2)
    left.axhline(0.5, color="0.6", linewidth=0.8)
    left.set(xlabel="step", ylabel="AUROC: concept will be right", title="What tells early which concept will be right")
    left.legend(fontsize=8, ncols=2)
    right.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    right.plot(diagram.predicted, diagram.happened, marker="o")
    right.set(xlabel="probability of the detector", ylabel="share right", title="Detector on test prompts")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def draw_rules(path: Path, rules: dict[str, dict[str, Any]]) -> None:
    """Draw the AUROC of the lag by step under each rule."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    for name, found in rules.items():
        axes.plot(found["signals"][LAG]["by_step"], label=f"{name}: {found['right']:.0%} right")
    axes.axhline(0.5, color="0.6", linewidth=0.8)
    axes.set(xlabel="step", ylabel="AUROC: concept will be right", title="What the lag tells under each rule")
    axes.legend(fontsize=8)
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def thirds(found: dict[str, Any]) -> str:
    """Return the AUROC of a signal in each third of the steps, with its interval."""
    return "".join(" | {:.2f} [{:.2f}, {:.2f}]".format(*found[third]) for third in ("first", "second", "last"))


def compare_rules(options: argparse.Namespace) -> None:
    """Write what the signals tell under each rule of a file, test prompts."""
    summary: dict[str, dict[str, Any]] = {}
    print("| rule | concepts, right | lag, first third | second | last | abs cos(p, s_k), first | second | last |")
    print(f"|{'---|' * 8}")
    for entry in json.loads(options.rules.read_text(encoding="utf-8")):
        seen = observations("test", METHODS[entry["method"]](**entry["parameters"]), options)
        found = {"concepts": len(seen.right), "right": float(seen.right.mean()), "signals": table(seen)}
        summary[entry["name"]] = found
        told = thirds(found["signals"][LAG]) + thirds(found["signals"]["absolute_cosine"])
        print(f"| {entry['name']} | {found['concepts']}, {found['right']:.0%}{told} |", flush=True)
    write_json(options.out / "rules.json", {"model": options.model, "suite": options.suite, "rules": summary})
    draw_rules(options.out / "rules.png", summary)


def observe_plain(options: argparse.Namespace) -> None:
    """Write what the signals tell under plain guidance, and the detector that comes of it."""
    validation, test = (observations(split, CFG(options.guidance_scale), options) for split in SPLITS)
    detector = fit_detector(validation)
    chance = probabilities(detector, test)
    diagram = reliability(chance, test.right)
    signals = table(test)
    summary = {
        "model": options.model,
        "suite": options.suite,
        "guidance_scale": options.guidance_scale,
        "concepts": {"validation": len(validation.right), "test": len(test.right)},
        "right": {"validation": float(validation.right.mean()), "test": float(test.right.mean())},
        "signals": signals,
        "detector": {
            "intercept": detector.intercept,
            "cosine": detector.cosine,
            "relative": detector.relative,
            "auroc": auroc_interval(chance, test),
            "brier": diagram.brier,
            "brier_of_the_share": diagram.base,
            "predicted": diagram.predicted.tolist(),
            "happened": diagram.happened.tolist(),
        },
    }
    write_json(options.out / "observation.json", summary)
    draw(options.out / "observation.png", signals, diagram)
    for name, found in signals.items():
        print(name + thirds(found))
    print(f"detector {detector}: AUROC {auroc(chance, test.right):.3f}, Brier {diagram.brier:.3f} ({diagram.base:.3f})")


def main() -> None:
    """Make what is missing, then write the summary and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="emoji-unet")
    parser.add_argument("--suite", default="emoji-ae")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance-scale", type=float, default=5.0, help="of plain guidance")
    parser.add_argument("--rules", type=Path, help="compare the rules of this file; default: plain guidance alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.rules:
        compare_rules(options)
    else:
        observe_plain(options)


if __name__ == "__main__":
    main()
