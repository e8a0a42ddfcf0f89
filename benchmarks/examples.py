"""The examples of `make demo` and of the page, by a rule written down before any of their pictures was made.

    OMP_NUM_THREADS=1 python benchmarks/examples.py --out out/examples [--write]

The rule: the validation prompts of `emoji-pairs` are put in the order of a hash, and the first 60 are drawn by plain
guidance at its best scale (12) from seeds 0 to 15, 25 steps. Those of which at least half of the pictures are wrong, as
`emoji-judge` sees them, are the failing ones; the first four of these, in the same order, are the examples, and the
first is the demo's. How the default rule draws them plays no part. Shown are the pictures of the first four seeds,
failures included, and beside them the share right over all 16 seeds of both methods as demo and page draw them: at the
checkpoint's own scale and steps, picture by picture. Plain guidance at its best scale stands there, too.

    plain.json               how many of 16 pictures are right, by prompt; prompts that stand there are not drawn again
    semguide-examples.json   the examples; `--write` puts them into the checkpoint's folder, for page and demo
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semguide.evaluation.image_batches import generate_batches
from semguide.evaluation.suites import SuitePrompt, stable_hash, suite
from semguide.files import write_json
from semguide.guidance import CFG, BalancedSGT, Rule
from semguide.models import describe, load
from semguide.models.examples import FILE
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings, verdicts
from semguide_emoji.judge import Judge

MODEL, SUITE = "emoji-unet", "emoji-pairs"
LOOKED_AT, EXAMPLES, SEEDS, STEPS = 60, 4, 16, 25
BEST_SCALE = 12.0
TOGETHER = 4
"""Prompts whose pictures are made before the counts are kept."""


def candidates() -> list[SuitePrompt]:
    """Return the validation prompts that are looked at, in the order of their hash."""
    return sorted(suite(SUITE, "validation"), key=lambda prompt: stable_hash(f"example {prompt.text}"))[:LOOKED_AT]


def failing(prompts: Sequence[SuitePrompt], right: dict[str, int]) -> list[SuitePrompt]:
    """Return the prompts of which at least half of the pictures are wrong."""
    return [prompt for prompt in prompts if 2 * (SEEDS - right[prompt.text]) >= SEEDS]


class Bench:
    """What makes pictures and judges them."""

    def __init__(self) -> None:
        self.pipe: Any = load(MODEL)
        self.pipe.set_progress_bar_config(disable=True)
        self.judge = Judge.load(ASSETS / "emoji-judge")

    def right(self, rule: Rule[Any], prompts: Sequence[SuitePrompt], steps: int, batch: int) -> list[list[bool]]:
        """Return by prompt and seed whether every concept of the picture is right."""
        made = generate_batches(
            self.pipe, rule, prompts, range(SEEDS), num_inference_steps=steps, batch_size=batch
        ).images
        rows = [all(row) for row in verdicts(findings(self.judge, made), prompts)]
        return [rows[first : first + SEEDS] for first in range(0, len(rows), SEEDS)]


def count_plain(bench: Bench, prompts: Sequence[SuitePrompt], file: Path) -> dict[str, int]:
    """Return how many pictures of plain guidance at its best scale are right; what a file has is taken from it."""
    counts: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    left = [prompt for prompt in prompts if prompt.text not in counts]
    for first in range(0, len(left), TOGETHER):
        few = left[first : first + TOGETHER]
        rows = bench.right(CFG(guidance_scale=BEST_SCALE), few, STEPS, batch=32)
        counts |= {prompt.text: sum(row) for prompt, row in zip(few, rows, strict=True)}
        write_json(file, counts)
        print(f"{len(counts)} of {len(prompts)} prompts", flush=True)
    return counts


def measured(bench: Bench, prompts: Sequence[SuitePrompt], plain: dict[str, int]) -> list[dict[str, Any]]:
    """Return the examples with what both methods make of them at the checkpoint's own scale and steps."""
    model = describe(MODEL)
    scale, steps = model.guidance_scale or BEST_SCALE, model.num_inference_steps or STEPS
    rows = {
        rule.name: bench.right(rule, prompts, steps, batch=1)
        for rule in (CFG(guidance_scale=scale), BalancedSGT(guidance_scale=scale))
    }
    return [
        {
            "prompt": prompt.text,
            "right": {name: sum(found[index]) for name, found in rows.items()},
            "right_at_best_scale": plain[prompt.text],
        }
        for index, prompt in enumerate(prompts)
    ]


def main() -> None:
    """Count, choose, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="put the examples into the checkpoint's folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bench, prompts = Bench(), candidates()
    plain = count_plain(bench, prompts, options.out / "plain.json")
    failed = failing(prompts, plain)
    found = {
        "made_by": "benchmarks/examples.py",
        "chosen": f"{len(failed)} of {len(prompts)} validation prompts of {SUITE} are wrong from at least half of "
        f"{SEEDS} seeds by plain guidance at its best scale, {BEST_SCALE:g}; these are the first {EXAMPLES} of them, "
        "in the order of a hash.",
        "seeds": SEEDS,
        "best_scale": BEST_SCALE,
        "examples": measured(bench, failed[:EXAMPLES], plain),
    }
    for folder in (options.out, *([ASSETS / MODEL] if options.write else [])):
        write_json(folder / FILE, found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
