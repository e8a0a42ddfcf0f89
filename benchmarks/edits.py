"""Edits: how often "more of" brings a thing into a picture and "less of" takes it out, and what happens to the rest.

    python benchmarks/edits.py --out out/edits [--limit 66]

takes validation prompts of two concepts, one seed each, plain guidance beside the edits, and prints two tables with
intervals over prompts. More: the picture of the first concept alone, with the second one as an edit, against the prompt
that names both. Less: the picture of both, with the second one as an edit, against it as the negative prompt and the
first concept alone as the prompt. Of each: the share of pictures in which the first thing is right, in which the second
is there (emoji-judge), how far the picture is from the unedited one (mean difference of its values, of 255), and
denoiser evaluations. What is made is kept in rows.jsonl, and gone on with when it is run again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semguide import CFG, Edit, steer
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide.models import load
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.verdict import look, rule_on
from semguide_emoji.judge import Judge

SETTINGS: tuple[dict[str, Any], ...] = (
    {"scale": 5.0},
    {"scale": 20.0},
    {"scale": 5.0, "start": 0.0},
    {"scale": 5.0, "start": 0.0, "threshold": 0.5},
    {"scale": 10.0, "start": 0.0, "threshold": 0.5},
)
"""Of the edits; the first is the default."""


@dataclass(frozen=True)
class Arm:
    """A way to ask for a picture.

    Attributes:
        name: What the table calls it.
        text: Its prompt.
        edit: Its edit; None: none.
        negative: Its negative prompt.
    """

    name: str
    text: str
    edit: Edit | None = None
    negative: str = ""


def arms(prompt: SuitePrompt) -> dict[str, list[Arm]]:
    """Return the ways to ask for the first concept with the second and without it; the first of each has no edit."""
    first, second = (concept.text for concept in prompt.concepts)
    more = [Arm(f"more: {named(own)}", first, Edit(second, **own)) for own in SETTINGS]
    less = [Arm(f"less: {named(own)}", prompt.text, Edit(second, "less", **own)) for own in SETTINGS]
    alone, both = Arm("the first thing in the prompt", first), Arm("both things in the prompt", prompt.text)
    negative = Arm("the second as negative prompt", prompt.text, negative=second)
    return {"more": [alone, *more, both], "less": [both, *less, negative, alone]}


def named(settings: dict[str, Any]) -> str:
    """Return what the table calls the settings of an edit."""
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


class Bench:
    """Makes and judges the pictures of prompts.

    Args:
        options: Of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._steps = options.steps
        self._judge = Judge.load(ASSETS / "emoji-judge")
        pipe: Any = load("emoji-unet")
        pipe.set_progress_bar_config(disable=True)
        self._tuned = steer(pipe, CFG(options.guidance_scale))

    def rows(self, index: int, prompt: SuitePrompt) -> Iterator[dict[str, Any]]:
        """Make the pictures of a prompt with its index as the seed, and say what is in them."""
        for table, ways in arms(prompt).items():
            unedited: NDArray[np.float64] | None = None
            for arm in ways:
                result = self._tuned(
                    arm.text,
                    negative_prompt=arm.negative,
                    edits=[] if arm.edit is None else [arm.edit],
                    num_inference_steps=self._steps,
                    generator=torch.Generator().manual_seed(index),
                )
                image = result.images[0]
                pixels = np.asarray(image, dtype=np.float64)
                unedited = pixels if unedited is None else unedited
                found = look(self._judge, image)
                there = [rule_on(replace(prompt, concepts=(one,)), found).concepts[0] for one in prompt.concepts]
                yield {
                    "prompt": prompt.text,
                    "table": table,
                    "arm": arm.name,
                    "first": there[0],
                    "second": there[1],
                    "change": float(np.abs(pixels - unedited).mean()),
                    "evaluations": int(result.evaluations[0]),
                }


def line(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return a row of a table."""
    columns = [bootstrap([float(row[column]) for row in rows]) for column in ("first", "second")]
    means = [float(np.mean([row[column] for row in rows])) for column in ("change", "evaluations")]
    return f"| {name} | {columns[0]} | {columns[1]} | {means[0]:.1f} | {means[1]:g} |"


def main() -> None:
    """Make what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--suite", default="emoji-pairs")
    parser.add_argument("--limit", type=int, default=66)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance-scale", type=float, default=7.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "rows.jsonl"
    rows = [json.loads(text) for text in file.read_text("utf-8").splitlines()] if file.exists() else []
    known = {row["prompt"] for row in rows}
    bench = Bench(options)
    with file.open("a", encoding="utf-8") as kept:
        for index, prompt in enumerate(limited(suite(options.suite, "validation"), options.limit)):
            if prompt.text not in known:
                made = list(bench.rows(index, prompt))
                kept.write("".join(json.dumps(row) + "\n" for row in made))
                kept.flush()
                rows += made
                print(f"{index + 1} prompts", flush=True)
    for table in ("more", "less"):
        print(f"| {table} | first thing right | second there | change | evaluations |\n|{'---|' * 5}")
        of_table = [row for row in rows if row["table"] == table]
        for name in dict.fromkeys(row["arm"] for row in of_table):
            print(line(name, [row for row in of_table if row["arm"] == name]))


if __name__ == "__main__":
    main()
