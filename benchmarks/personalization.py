"""Personalization guidance on a LoRA of one new thing: how true to it, and how well it stands beside others.

    python benchmarks/personalization.py --out out/personalization --lora FILE [--omegas 0,0.25,0.5,0.75,1]

makes "a penguin", and "a penguin and ..." with the first concepts of validation prompts, for each omega from the same
seeds, and prints a table with intervals over prompts (of the first column over seeds): the share of pictures in which
the penguin is found (its drawing, matched at every place), its mean match, of the pairs the share in which the other
thing is right (emoji-judge), and in which both are. What is made is kept in rows.jsonl, and gone on with when it is run
again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from semguide import Personalization, steer
from semguide.evaluation.judging import embedded_judge
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide.models import LoadOptions, Lora, load
from semguide_emoji.evaluation.newcomer import FOUND, newcomer_match
from semguide_emoji.scenes.vocabulary import NEWCOMER

ALONE = f"a {NEWCOMER}"


def prompts_of(options: argparse.Namespace) -> list[tuple[str, int, SuitePrompt | None]]:
    """Return text and seed of each picture, and the prompt by which its other thing is judged; None without one."""
    alone = [(ALONE, seed, None) for seed in range(options.alone)]
    chosen = limited(suite("emoji-ae", "validation"), options.pairs)
    others = [replace(prompt, concepts=prompt.concepts[:1]) for prompt in chosen]
    return [*alone, *((f"{ALONE} and {prompt.concepts[0].text}", i, prompt) for i, prompt in enumerate(others))]


def rows_of(
    pipe: Any, omega: float, options: argparse.Namespace, known: set[tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    """Make the pictures of an omega that are not known yet, and say what is in them."""
    plugin = embedded_judge()
    judge = plugin.load(plugin.folder) if plugin is not None else None
    tuned = steer(pipe, Personalization(options.guidance_scale, omega))
    for text, seed, other in prompts_of(options):
        if (omega, text, seed) in known:
            continue
        generator = torch.Generator().manual_seed(seed)
        image = tuned(text, num_inference_steps=options.steps, generator=generator).images[0]
        right = None if other is None or judge is None else judge.rule_on(other, judge.look(image)).concepts[0]
        yield {"omega": omega, "prompt": text, "seed": seed, "match": newcomer_match(image), "other": right}


def line(omega: float, rows: Sequence[dict[str, Any]]) -> str:
    """Return the line of the table of an omega."""
    alone = [row for row in rows if row["other"] is None]
    pairs = [row for row in rows if row["other"] is not None]
    found = [float(row["match"] >= FOUND) for row in pairs]
    columns = [
        bootstrap([float(row["match"] >= FOUND) for row in alone]),
        bootstrap([row["match"] for row in alone]),
        bootstrap(found),
        bootstrap([float(row["other"]) for row in pairs]),
        bootstrap([there * row["other"] for there, row in zip(found, pairs, strict=True)]),
    ]
    return f"| {omega:g} | {' | '.join(map(str, columns))} |"


def main() -> None:
    """Make what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lora", type=Path, required=True, help="what `semguide train lora` writes")
    parser.add_argument("--omegas", default="0,0.25,0.5,0.75,1")
    parser.add_argument("--alone", type=int, default=12, help="pictures of the new thing alone")
    parser.add_argument("--pairs", type=int, default=24, help="pictures of it and another thing")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance-scale", type=float, default=5.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file, omegas = options.out / "rows.jsonl", [float(text) for text in options.omegas.split(",")]
    rows = [json.loads(text) for text in file.read_text("utf-8").splitlines()] if file.exists() else []
    known = {(row["omega"], row["prompt"], row["seed"]) for row in rows}
    pipe: Any = load("emoji-unet", "cpu", LoadOptions(loras=(Lora(str(options.lora)),)))
    pipe.set_progress_bar_config(disable=True)
    with file.open("a", encoding="utf-8") as kept:
        for omega in omegas:
            for row in rows_of(pipe, omega, options, known):
                kept.write(json.dumps(row) + "\n")
                kept.flush()
                rows.append(row)
    print("| omega | penguin found, alone | its match | penguin found, in pairs | the other right | both |")
    print("|---|---|---|---|---|---|")
    for omega in omegas:
        print(line(omega, [row for row in rows if row["omega"] == omega]))


if __name__ == "__main__":
    main()
