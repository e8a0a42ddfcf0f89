"""Find every method's best setting on validation prompts, and measure it on test prompts.

    python benchmarks/tune.py --out out/tune [--methods cfg,sega] [--suite emoji-ae] [--seeds 1] [--limit N]
    python benchmarks/tune.py --out out/tune --test [--seeds 2]

The first measures each setting of the method's grid in `grids.json` on validation prompts, and ends with the best one
of each method as `semguide bench` takes it; a grid of one setting leaves nothing to choose, and nothing is measured.
The second measures the best settings on test prompts, and ends with a table: the first method is what the others are
paired with. Rules are measured in batches; what is no rule makes one image at a time. With `--evaluations N` every
method takes as many steps as fit into N evaluations for a prompt of two concepts.

    pictures/*.npz    the images of a method, its setting and a seed; made again only where they are missing
    tune.json         one entry a setting: share of images with every concept right, interval over prompts,
                      evaluations an image
    test-SUITE-MODEL.json   the same of the best settings on test prompts, image quality and diversity (as in
                      `semguide bench`, features by emoji-clip), and which images were right, by prompt and seed;
                      test-SUITE-MODEL-N.json with `--evaluations N`
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semguide.evaluation.bench.row_metrics import DISTANCE, compare_metrics, summarise_metrics
from semguide.evaluation.image_batches import ImageBatch, generate_batches, generate_one_by_one
from semguide.evaluation.judging import Detection
from semguide.evaluation.metrics.features import diversity, unpack
from semguide.evaluation.metrics.scorer import Scorer, Scorers
from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import Split, SuitePrompt, limited, suite
from semguide.files import digest, write_arrays, write_json
from semguide.guidance import METHODS
from semguide.guidance.cost import steps_within
from semguide.models import fingerprint, load
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings
from semguide_emoji.evaluation.verdict import rule_on
from semguide_emoji.judge import Judge

GRIDS = Path(__file__).with_name("grids.json")

Setting = dict[str, Any]


def settings(grid: list[dict[str, list[Any]]]) -> Iterator[Setting]:
    """Yield every combination of values of each block of a method's grid."""
    for block in grid:
        for values in itertools.product(*block.values()):
            yield dict(zip(block, values, strict=True))


@dataclass(frozen=True)
class Measured:
    """A setting of a method.

    Attributes:
        entry: What is to be kept of it.
        right: (prompts, seeds) which images have every concept right, and its count or place where one is asked for.
        images: By seed, (prompts, height, width, 3).
        found: By seed and prompt, what the judge sees.
    """

    entry: dict[str, Any]
    right: NDArray[np.bool_]
    images: list[NDArray[np.uint8]]
    found: list[list[list[Detection]]]


#: A setting, and its images' rows seed by seed.
WithRows = tuple[Measured, list[dict[str, Any]]]


class Bed:
    """What settings are measured on.

    Args:
        options: The command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.pipe: Any = load(options.model)
        self.pipe.set_progress_bar_config(disable=True)
        self.judge = Judge.load(ASSETS / "emoji-judge")
        self.scorer = Scorer(Scorers(clip=str(ASSETS / "emoji-clip")), "cpu")
        split: Split = "test" if options.test else "validation"
        self.prompts: tuple[SuitePrompt, ...] = tuple(limited(suite(options.suite, split), options.limit))
        self.seeds = range(options.first_seed, options.first_seed + options.seeds)
        self.steps: int = options.steps
        self.evaluations: int | None = options.evaluations
        self.folder: Path = options.out / "pictures"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model = fingerprint(ASSETS / options.model)

    def measured(self, method: str, setting: Setting) -> Measured:
        """Make the images of a setting that are missing, and judge them."""
        by_seed = [self._pictures(method, setting, seed) for seed in self.seeds]
        found = [findings(self.judge, pictures.images) for pictures in by_seed]
        right = np.array(
            [[rule_on(*pair).all_right for pair in zip(self.prompts, seen, strict=True)] for seen in found]
        ).T
        share = bootstrap(right.mean(axis=1))
        entry = {
            "method": method,
            "setting": setting,
            "all_concepts": round(share.mean, 4),
            "interval": [round(share.low, 4), round(share.high, 4)],
            "steps": self.steps_of(made_by(method, setting)),
            "evaluations": round(float(np.mean([pictures.evaluations for pictures in by_seed])), 2),
            "images": right.size,
        }
        return Measured(entry, right, [pictures.images for pictures in by_seed], found)

    def rows(self, measured: Measured, seeds: int) -> list[dict[str, Any]]:
        """Return what the bench's metrics read of each image of the first `seeds` seeds."""
        return [
            {
                "prompt": prompt.text,
                "findings": [asdict(finding) for finding in seen],
                "verdicts": list(rule_on(prompt, seen).concepts),
                **self.scorer.columns(prompt, seed, Image.fromarray(image)),
            }
            for seed, images, found in list(zip(self.seeds, measured.images, measured.found, strict=True))[:seeds]
            for prompt, image, seen in zip(self.prompts, images, found, strict=True)
        ]

    def steps_of(self, sampler: Any) -> int:
        """Return the steps that a rule or sampling method takes.

        Raises:
            SystemExit: Its evaluations depend on the image.
        """
        if self.evaluations is None:
            return self.steps
        if sampler.evaluations_per_image(1, concepts=2) is None:
            raise SystemExit(f"the evaluations of {sampler.name} depend on the image: leave it out of --evaluations")
        return steps_within(lambda steps: sampler.evaluations_per_image(steps, concepts=2), self.evaluations)

    def _pictures(self, method: str, setting: Setting, seed: int) -> ImageBatch:
        sampler = made_by(method, setting)
        steps = self.steps_of(sampler)
        identity = {} if method in METHODS else sampler.identity()
        where = [self.model, steps, [prompt.text for prompt in self.prompts]]
        path = self.folder / f"{method}-{seed}-{digest([method, asdict(sampler), identity, seed, where])[:16]}.npz"
        if path.exists():
            stored = np.load(path)
            return ImageBatch(stored["images"], float(stored["evaluations"]))
        if method in METHODS:
            pictures = generate_batches(self.pipe, sampler, self.prompts, [seed], num_inference_steps=steps)
        else:
            pictures = generate_one_by_one(self.pipe, sampler, self.prompts, seed, num_inference_steps=steps)
        write_arrays(path, images=pictures.images, evaluations=pictures.evaluations)
        return pictures


def made_by(method: str, setting: Setting) -> Any:
    """Return the rule or sampling method of a method with a setting."""
    return (METHODS[method] if method in METHODS else SAMPLING_METHODS[method])(**setting)


def best(grid: list[dict[str, list[Any]]], entries: list[dict[str, Any]], method: str) -> Setting:
    """Return a method's best setting; of equals the cheaper, then the earlier one."""
    tried = list(settings(grid))
    if len(tried) == 1:
        return tried[0]
    own = [entry for entry in entries if entry["method"] == method and entry["setting"] in tried]
    if len(own) < len(tried):
        raise SystemExit(f"{method} must be tuned first, {len(own)} of its {len(tried)} settings are")
    return max(own, key=lambda entry: (entry["all_concepts"], -entry["evaluations"]))["setting"]


def tune(bed: Bed, grids: dict[str, Any], methods: list[str], entries: list[dict[str, Any]], path: Path) -> None:
    """Measure every setting, then say what is best."""
    for method in methods:
        tried = list(settings(grids[method]))
        entries[:] = [entry for entry in entries if entry["method"] != method]
        for setting in tried if len(tried) > 1 else []:
            entries.append(bed.measured(method, setting).entry)
            print(json.dumps(entries[-1]), flush=True)
        write_json(path, entries)
    for method in methods:
        chosen = best(grids[method], entries, method)
        print(method, *(f"--set {method}.{key}={json.dumps(value)}" for key, value in chosen.items()))


def test(bed: Bed, chosen: dict[str, Setting], path: Path) -> None:
    """Measure the chosen settings, and print them beside the first."""
    kept: dict[str, Any] = {}
    first: WithRows | None = None
    print(
        "| method | all concepts right | difference | evaluations | steps | images | confidence | distance | "
        "diversity | diversity where right, difference |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for method, setting in chosen.items():
        measured = bed.measured(method, setting)
        rows = bed.rows(measured, len(bed.seeds))
        first = first or (measured, rows)
        lead = bootstrap(measured.right.mean(axis=1) - first[0].right.mean(axis=1))
        entry = {
            **measured.entry,
            "lead": [lead.mean, lead.low, lead.high],
            "metrics": summarise_metrics(rows),
            "compared": compare_metrics(rows, first[1]),
            "diversity_of_right": diversity_of_right((measured, rows), first),
            "right": measured.right.tolist(),
        }
        kept[method] = entry
        quality = [_with_difference(entry, name) for name in ("judge_confidence", DISTANCE, "diversity")]
        if (pair := entry["diversity_of_right"]) is not None:
            quality.append("{:+.3f} [{:+.3f}, {:+.3f}]".format(*pair))
        low, high = entry["interval"]
        share = f"{entry['all_concepts']:.3f} [{low:.3f}, {high:.3f}]"
        difference = f"{lead.mean:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]"
        cost = (f"{entry['evaluations']:g}", entry["steps"])
        columns = (f"`{method}`", share, difference, *cost, entry["images"], *quality)
        print("|", " | ".join(map(str, columns)), "|", flush=True)
    write_json(path, {"prompts": [prompt.text for prompt in bed.prompts], "methods": kept})


def diversity_of_right(one: WithRows, other: WithRows) -> list[float] | None:
    """Compare two methods' diversity where both are right, because wrong pictures of a prompt differ more.

    Returns:
        Mean difference and its interval over the prompts with two seeds or more at which both are right; None if there
        are no two such prompts.
    """
    both = one[0].right & other[0].right
    differences: list[float] = []
    for index, seeds in enumerate(both):
        chosen = [seed * len(both) + index for seed in np.flatnonzero(seeds)]
        if len(chosen) > 1:
            here, there = (diversity(unpack([rows[i]["clip_feature"] for i in chosen])) for _, rows in (one, other))
            differences.append(here - there)
    if len(differences) < 2:
        return None
    found = bootstrap(differences)
    return [found.mean, found.low, found.high]


def _with_difference(entry: dict[str, Any], name: str) -> str:
    """A metric, and how far it is from the first method's, with an interval where it has one."""
    value, pair = entry["metrics"].get(name), entry["compared"].get(name)
    if value is None or pair is None:
        return ""
    mean = value["mean"] if isinstance(value, dict) else value
    spread = " [{:+.3f}, {:+.3f}]".format(*pair["ci95"]) if "ci95" in pair else ""
    return f"{mean:.3f}, {pair['delta']:+.3f}{spread}"


def main() -> None:
    """Tune, or measure what was tuned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", help="comma-separated; default: all of grids.json")
    parser.add_argument("--suite", default="emoji-ae")
    parser.add_argument("--model", default="emoji-unet")
    parser.add_argument("--test", action="store_true", help="measure the best settings on test prompts")
    parser.add_argument("--guidance-scale", type=float, help="of all settings, in place of their own")
    parser.add_argument("--seeds", type=int, default=1, help="images a prompt and setting")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="prompts at most; default: all")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--evaluations", type=int, help="an image, for all methods, in place of --steps; >= 2")
    options = parser.parse_args()
    grids: dict[str, list[dict[str, list[Any]]]] = json.loads(GRIDS.read_text(encoding="utf-8"))
    methods = options.methods.split(",") if options.methods else list(grids)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "tune.json"
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    bed = Bed(options)
    if options.test:
        scale = {} if options.guidance_scale is None else {"guidance_scale": options.guidance_scale}
        chosen = {name: {**best(grids[name], entries, name), **scale} for name in methods}
        cost = "" if options.evaluations is None else f"-{options.evaluations}"
        test(bed, chosen, options.out / f"test-{Path(options.suite).stem}-{options.model}{cost}.json")
    else:
        tune(bed, grids, methods, entries, path)


if __name__ == "__main__":
    main()
