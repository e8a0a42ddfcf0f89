"""Find every method's best setting on validation prompts, and measure it on test prompts.

    python benchmarks/tune.py --out out/tune [--methods cfg,sega] [--suite emoji-ae] [--seeds 1] [--limit N]
    python benchmarks/tune.py --out out/tune --test [--seeds 2]

The first measures each setting of the method's grid in `grids.json` on validation prompts, and ends with the best one
of each method as `semguide bench` takes it; a grid of one setting leaves nothing to choose, and nothing is measured.
The second measures the best settings on test prompts, and ends with a table: the first method is what the others are
paired with. Rules are measured in batches; what is no rule makes one image at a time.

    tune.json    one entry a setting, as it is measured: share of images with every concept right, interval over
                 prompts, evaluations an image; what is there is not measured again
    test-SUITE-MODEL-METHOD-SCALE.json   the same of a best setting on test prompts, and which images were right, by
                 prompt and seed
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.compare import measure
from semguide.evaluation.judge import judged
from semguide.evaluation.makers import MAKERS, Sampling
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import Split, SuitePrompt, limited, suite
from semguide.evaluation.verdict import look
from semguide.files import write_json
from semguide.guidance import METHODS
from semguide.models import load
from semguide.models.catalog import ASSETS
from semguide.models.judge import Judge

GRIDS = Path(__file__).with_name("grids.json")

Setting = dict[str, Any]


def settings(grid: list[dict[str, list[Any]]]) -> Iterator[Setting]:
    """Yield every combination of values of each block of a method's grid."""
    for block in grid:
        for values in itertools.product(*block.values()):
            yield dict(zip(block, values, strict=True))


class Bed:
    """What settings are measured on.

    Args:
        options: The command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.pipe: Any = load(options.model)
        self.pipe.set_progress_bar_config(disable=True)
        self.judge = Judge.load(ASSETS / "emoji-judge")
        split: Split = "test" if options.test else "validation"
        self.prompts: tuple[SuitePrompt, ...] = tuple(limited(suite(options.suite, split), options.limit))
        self.seeds = range(options.first_seed, options.first_seed + options.seeds)
        self.steps: int = options.steps

    def measured(self, method: str, setting: Setting) -> tuple[dict[str, Any], NDArray[np.bool_]]:
        """Measure one setting of one method: what is to be kept of it, and (prompts, seeds) which images were right."""
        right, evaluations = (self._rule if method in METHODS else self._maker)(method, setting)
        share = bootstrap(right.mean(axis=1))
        entry = {
            "method": method,
            "setting": setting,
            "all_concepts": round(share.mean, 4),
            "interval": [round(share.low, 4), round(share.high, 4)],
            "evaluations": round(evaluations, 2),
            "images": right.size,
        }
        return entry, right

    def _rule(self, method: str, setting: Setting) -> tuple[NDArray[np.bool_], float]:
        rule = METHODS[method](**setting)
        outcome = measure(self.pipe, self.judge, rule, self.prompts, self.seeds, num_inference_steps=self.steps)
        return outcome.all_right, outcome.evaluations

    def _maker(self, method: str, setting: Setting) -> tuple[NDArray[np.bool_], float]:
        size: int = self.pipe.vae.config.sample_size
        make = MAKERS[method](**setting).bind(self.pipe, Sampling(self.steps, size, size))
        right = np.zeros((len(self.prompts), len(self.seeds)), dtype=bool)
        evaluations = 0
        for row, prompt in enumerate(self.prompts):
            for column, seed in enumerate(self.seeds):
                made = make(prompt.text, prompt.concepts, seed)
                right[row, column] = all(judged(look(self.judge, made.image), prompt.concepts))
                evaluations += made.evaluations
        return right, evaluations / right.size


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
    """Measure what is missing, then say what is best."""
    for method in methods:
        tried = list(settings(grids[method]))
        for setting in tried if len(tried) > 1 else []:
            if not any(entry["method"] == method and entry["setting"] == setting for entry in entries):
                entries.append(bed.measured(method, setting)[0])
                write_json(path, entries)
                print(json.dumps(entries[-1]), flush=True)
    for method in methods:
        chosen = best(grids[method], entries, method)
        print(method, *(f"--set {method}.{key}={json.dumps(value)}" for key, value in chosen.items()))


def test(bed: Bed, chosen: dict[str, Setting], out: Path, what: str) -> None:
    """Measure the chosen settings that have not been, then print them beside the first."""
    kept: dict[str, dict[str, Any]] = {}
    for method, setting in chosen.items():
        path = out / f"test-{what}-{method}-{setting['guidance_scale']:g}.json"
        if path.exists():
            kept[method] = json.loads(path.read_text(encoding="utf-8"))
            continue
        entry, right = bed.measured(method, setting)
        kept[method] = {**entry, "prompts": [p.text for p in bed.prompts], "right": right.tolist()}
        write_json(path, kept[method])
        print(json.dumps(entry), flush=True)
    other = next(iter(kept.values()))
    first = dict(zip(other["prompts"], other["right"], strict=True))
    print("| method | all concepts right | difference | evaluations an image | images |")
    print("|---|---|---|---|---|")
    for method, entry in kept.items():
        pairs = [  # of the seeds that both have
            np.mean([a - b for a, b in zip(own, first[prompt], strict=False)])
            for prompt, own in zip(entry["prompts"], entry["right"], strict=True)
        ]
        lead, (low, high) = bootstrap(pairs), entry["interval"]
        paired = f"{lead.mean:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]"
        share = f"{entry['all_concepts']:.3f} [{low:.3f}, {high:.3f}]"
        print(f"| `{method}` | {share} | {paired} | {entry['evaluations']:g} | {entry['images']} |")


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
        test(bed, chosen, options.out, f"{Path(options.suite).stem}-{Path(options.model).name}")
    else:
        tune(bed, grids, methods, entries, path)


if __name__ == "__main__":
    main()
