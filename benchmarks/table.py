"""The table of methods: quality, harm and cost of each setting on the same prompts and seeds.

    python benchmarks/table.py --out out/table [--settings benchmarks/table.json] [--suite emoji-pairs]
                               [--split validation] [--model emoji-unet] [--seeds 1] [--limit N|N-M] [--shard I/N]

The settings file lists rows: a name, a method of `semguide methods`, its steps and parameters, and where it is not the
checkpoint's own a scheduler: `{"name": CLASS, ...}` with what differs in its configuration. The first row is what the
others are paired with. Every 32 prompts of a row and seed are written when they are made, so that a call that was
stopped goes on, and `--shard 2/4` in another process or on another machine makes its part into the same folder; a call
without it makes what is missing and writes

    table-SUITE-SPLIT-MODEL[-LIMIT].json
                                   of each row: share of images with every concept right; gain, the share of the first
                                   row's failures that it mends; harm, the share of the first row's right images that
                                   it spoils; the judge's confidence; evaluations an image; intervals over prompts; the
                                   processors that made the images; with several seeds the share of prompts right at
                                   one of them at least, and how much a prompt's images differ (features by emoji-clip),
                                   also among the seeds at which both rows are right, as wrong images differ more
    table-SUITE-SPLIT-MODEL[-LIMIT].png
                                   share right over evaluations an image
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from semguide.evaluation.clip_scorers import ImageText
from semguide.evaluation.image_batches import generate_batches, generate_one_by_one
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.metrics.features import diversity
from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import Split, SuitePrompt, limited, suite
from semguide.files import atomic, digest, write_arrays, write_json
from semguide.guidance import METHODS
from semguide.models import fingerprint, load
from semguide.runs.environment import processor
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings
from semguide_emoji.evaluation.verdict import rule_on
from semguide_emoji.judge import Judge

SETTINGS = Path(__file__).with_name("table.json")
PIECE = 32
"""Prompts of a row and seed that are made and written together."""
SEVERAL = ("right_at_some_seed", "diversity", "diversity_difference", "diversity_difference_of_right")
"""What a table of several seeds has besides."""


@dataclass(frozen=True)
class Row:
    """A row of the settings file.

    Attributes:
        name: What the table calls it.
        method: A rule or a method that only benchmarks have.
        steps: Denoising steps.
        parameters: Of the method.
        scheduler: Name of a class of diffusers and what differs in its configuration; None: the checkpoint's own.
    """

    name: str
    method: str
    steps: int
    parameters: dict[str, Any]
    scheduler: dict[str, Any] | None = None

    @property
    def sampler(self) -> Any:
        """The rule or sampling method."""
        kinds: dict[str, Any] = {**METHODS, **SAMPLING_METHODS}
        return kinds[self.method](**self.parameters)

    @property
    def identity(self) -> list[Any]:
        """All that decides its images, besides checkpoint, prompt and seed."""
        sampler = self.sampler
        own = [self.method, self.steps, asdict(sampler), getattr(sampler, "identity", dict)()]
        return own if self.scheduler is None else [*own, self.scheduler]


@dataclass(frozen=True)
class Measured:
    """The images of a row.

    Attributes:
        right: (prompts, seeds) whether every concept is right.
        confidence: (prompts, seeds) the judge's mean confidence in what it finds, 0 where it finds nothing.
        evaluations: (prompts, seeds) denoiser evaluations, the mean of their piece.
        processors: What made them.
        features: (prompts, seeds, width) what emoji-clip makes of the images; None of one seed.
    """

    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    evaluations: NDArray[np.float64]
    processors: list[str]
    features: NDArray[np.float64] | None = None


def prompts_of(name: str, split: Split, limit: str | None) -> list[SuitePrompt]:
    """Return prompts of a suite: all, "310" of them, or with "310-620" those that 620 of them have and 310 have not."""
    prompts = suite(name, split)
    if limit is None:
        return limited(prompts, None)
    without, dash, most = limit.partition("-")
    left_out = limited(prompts, int(without)) if dash else []
    return [prompt for prompt in limited(prompts, int(most if dash else without)) if prompt not in left_out]


class Bench:
    """Makes and judges the images of rows.

    Args:
        model: Name of an embedded checkpoint.
        prompts: The prompts.
        seeds: Seeds of each prompt.
        folder: Where pieces are written.
    """

    def __init__(self, model: str, prompts: Sequence[SuitePrompt], seeds: int, folder: Path) -> None:
        self.prompts, self.seeds, self.folder = list(prompts), seeds, folder
        self._model = model
        self._fingerprint = fingerprint(ASSETS / model)
        self._pipe: Any = None
        self._own_scheduler: Any = None
        self._judge = Judge.load(ASSETS / "emoji-judge")
        folder.mkdir(parents=True, exist_ok=True)

    def pieces(self) -> Iterator[tuple[int, list[SuitePrompt]]]:
        """Yield seeds and prompts that are made together."""
        for seed in range(self.seeds):
            for first in range(0, len(self.prompts), PIECE):
                yield seed, self.prompts[first : first + PIECE]

    def make(self, row: Row, shard: tuple[int, int] = (1, 1)) -> None:
        """Make the pieces of a row that are missing; of a shard (i, n) every n-th piece."""
        for index, (seed, prompts) in enumerate(self.pieces()):
            path = self._path(row, seed, prompts)
            if index % shard[1] == shard[0] - 1 and not path.exists():
                self._make_piece(row, seed, prompts, path)
                print(f"{row.name}: seed {seed}, {len(prompts)} prompts", flush=True)

    def complete(self, row: Row) -> bool:
        """Say whether all pieces of a row are there."""
        return all(self._path(row, seed, prompts).exists() for seed, prompts in self.pieces())

    def measured(self, row: Row) -> Measured:
        """Make what is missing of a row, and read all of it."""
        self.make(row)
        found = [np.load(self._path(row, seed, prompts)) for seed, prompts in self.pieces()]

        def column(name: str) -> NDArray[Any]:
            return np.concatenate([piece[name] for piece in found]).reshape(self.seeds, -1).T

        processors = sorted({str(piece["processor"]) for piece in found})
        features = self._features(np.concatenate([piece["images"] for piece in found])) if self.seeds > 1 else None
        return Measured(column("right"), column("confidence"), column("evaluations"), processors, features)

    @cached_property
    def _clip(self) -> ImageText:
        return load_clip(ASSETS / "emoji-clip", "cpu")

    def _features(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the features by prompt and seed of images, those of a seed before those of the next."""
        features = torch.stack([self._clip.image(Image.fromarray(image)) for image in images]).double().numpy()
        return features.reshape(self.seeds, len(self.prompts), -1).swapaxes(0, 1)

    def _path(self, row: Row, seed: int, prompts: Sequence[SuitePrompt]) -> Path:
        asked = [self._fingerprint, row.identity, seed, [prompt.text for prompt in prompts]]
        return self.folder / f"{row.method}-{seed}-{digest(asked)[:20]}.npz"

    def _scheduler(self, row: Row) -> Any:
        if row.scheduler is None:
            return self._own_scheduler
        import diffusers

        changes = {key: value for key, value in row.scheduler.items() if key != "name"}
        return getattr(diffusers, row.scheduler["name"]).from_config(self._own_scheduler.config, **changes)

    def _make_piece(self, row: Row, seed: int, prompts: Sequence[SuitePrompt], path: Path) -> None:
        if self._pipe is None:
            self._pipe = load(self._model)
            self._pipe.set_progress_bar_config(disable=True)
            self._own_scheduler = self._pipe.scheduler
        self._pipe.scheduler = self._scheduler(row)
        sampler: Any = row.sampler
        if row.method in METHODS:
            made = generate_batches(self._pipe, sampler, prompts, [seed], num_inference_steps=row.steps)
        else:
            made = generate_one_by_one(self._pipe, sampler, prompts, seed, num_inference_steps=row.steps)
        found = findings(self._judge, made.images)
        write_arrays(
            path,
            images=made.images,
            evaluations=np.full(len(prompts), made.evaluations),
            right=np.array([rule_on(*pair).all_right for pair in zip(prompts, found, strict=True)]),
            confidence=np.array([np.mean([f.confidence for f in seen]) if seen else 0.0 for seen in found]),
            processor=processor(),
        )


def share(part: NDArray[np.bool_], whole: NDArray[np.bool_], resamples: int = 2000) -> list[float] | None:
    """Return the share of `whole` that is in `part` too, both (prompts, seeds), with its interval over prompts.

    None where `whole` is empty: where the first row is right everywhere there is nothing to gain.
    """
    hits, all_ = (part & whole).sum(axis=1).astype(np.float64), whole.sum(axis=1).astype(np.float64)
    if not all_.sum():
        return None
    drawn = np.random.default_rng(0).integers(len(all_), size=(resamples, len(all_)))
    sums = np.maximum(all_[drawn].sum(axis=1), 1.0)
    low, high = np.quantile(hits[drawn].sum(axis=1) / sums, [0.025, 0.975])
    return [round(float(value), 6) for value in (hits.sum() / all_.sum(), low, high)]


def summary(row: Row, measured: Measured, first: Measured) -> dict[str, Any]:
    """Return what the table says of a row."""

    def mean(values: NDArray[Any]) -> list[float]:
        found = bootstrap(values.mean(axis=1))
        return [round(value, 4) for value in (found.mean, found.low, found.high)]

    right, before = measured.right, first.right
    several: dict[str, Any] = {}
    if measured.features is not None and first.features is not None:
        ours, theirs = ([diversity(own) for own in features] for features in (measured.features, first.features))
        both = [
            diversity(here[chosen]) - diversity(there[chosen])
            for here, there, chosen in zip(measured.features, first.features, right & before, strict=True)
            if chosen.sum() > 1
        ]
        several = {
            "right_at_some_seed": mean(right.max(axis=1, keepdims=True)),
            "diversity": mean(np.array(ours)[:, None]),
            "diversity_difference": mean(np.subtract(ours, theirs)[:, None]),
            "diversity_difference_of_right": mean(np.array(both)[:, None]) if len(both) > 1 else None,
        }
    return {
        **asdict(row),
        "right": mean(right),
        "difference": mean(right.astype(np.float64) - before),
        "gain": share(right, ~before),
        "harm": share(~right, before),
        "confidence": mean(measured.confidence),
        "confidence_difference": mean(measured.confidence - first.confidence),
        "evaluations": round(float(measured.evaluations.mean()), 2),
        **several,
        "images": right.size,
        "processors": measured.processors,
    }


def line(entry: dict[str, Any]) -> str:
    """Return a row of the table in Markdown."""
    triple = "{:.3f} [{:.3f}, {:.3f}]".format
    values = [entry[name] for name in ("right", "difference", "gain", "harm")]
    cells = ["" if value is None else triple(*value) for value in values]
    cells.append(f"{entry['confidence'][0]:.3f}")
    cells += ["" if entry[name] is None else triple(*entry[name]) for name in SEVERAL if name in entry]
    return f"| {entry['name']} | {entry['evaluations']:g} | {' | '.join(cells)} |"


def draw(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Draw the share right over the evaluations."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for entry in entries:
        value, low, high = entry["right"]
        axes.errorbar(entry["evaluations"], value, yerr=[[value - low], [high - value]], marker="o", capsize=3)
        axes.annotate(
            entry["name"], (entry["evaluations"], value), xytext=(6, 4), textcoords="offset points", fontsize=8
        )
    axes.set(xlabel="denoiser evaluations an image", ylabel="share of images with every concept right")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def main() -> None:
    """Make what is missing, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--suite", default="emoji-pairs")
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--model", default="emoji-unet")
    parser.add_argument("--seeds", type=int, default=1, help="images a prompt")
    parser.add_argument("--limit", help="N: so many prompts; N-M: those of M that are not of N; default: all")
    parser.add_argument("--shard", help="I/N: make the I-th of N parts and no table")
    options = parser.parse_args()
    rows = [Row(**entry) for entry in json.loads(options.settings.read_text(encoding="utf-8"))]
    prompts = prompts_of(options.suite, options.split, options.limit)
    bench = Bench(options.model, prompts, options.seeds, options.out / "pieces")
    if options.shard:
        index, count = map(int, options.shard.split("/"))
        for row in rows:
            bench.make(row, (index, count))
        return
    first: Measured | None = None
    columns = ["", "evaluations", "right", "difference", "gain", "harm", "confidence"]
    columns += [name.replace("_", " ") for name in SEVERAL] if options.seeds > 1 else []
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    entries: list[dict[str, Any]] = []
    for row in rows:
        measured = bench.measured(row)
        first = first or measured
        entries.append(summary(row, measured, first))
        print(line(entries[-1]), flush=True)
    name = f"table-{options.suite}-{options.split}-{options.model}" + (f"-{options.limit}" if options.limit else "")
    write_json(options.out / f"{name}.json", {"prompts": len(prompts), "seeds": options.seeds, "rows": entries})
    draw(options.out / f"{name}.png", entries)


if __name__ == "__main__":
    main()
