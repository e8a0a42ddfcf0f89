"""Find every method's best setting on validation prompts, with the same effort for each.

    python benchmarks/tune.py --out out/tune [--methods cfg,sega] [--suite emoji-ae] [--seeds 1] [--limit N]

measures each setting of the method's grid in `grids.json` at each of its guidance scales, and writes

    tune.json    one entry a setting, as it is measured: share of images with every concept right, interval over
                 prompts, evaluations an image; what is there is not measured again

It ends with the best setting of each method as `semguide bench` takes it. Rules are measured in batches; what is no
rule makes one image at a time.
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
from semguide.evaluation.suites import SuitePrompt, limited, suite
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
        self.prompts: tuple[SuitePrompt, ...] = tuple(limited(suite(options.suite, "validation"), options.limit))
        self.seeds = range(options.first_seed, options.first_seed + options.seeds)
        self.steps: int = options.steps

    def measured(self, method: str, setting: Setting) -> dict[str, Any]:
        """Measure one setting of one method."""
        right, evaluations = (self._rule if method in METHODS else self._maker)(method, setting)
        share = bootstrap(right.mean(axis=1))
        return {
            "method": method,
            "setting": setting,
            "all_concepts": round(share.mean, 4),
            "interval": [round(share.low, 4), round(share.high, 4)],
            "evaluations": round(evaluations, 2),
            "images": right.size,
        }

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


def best(entries: list[dict[str, Any]], method: str) -> dict[str, Any]:
    """Return the entry of a method's best setting; of equals the cheaper, then the earlier one."""
    own = [entry for entry in entries if entry["method"] == method]
    return max(own, key=lambda entry: (entry["all_concepts"], -entry["evaluations"]))


def main() -> None:
    """Measure what is missing, then say what is best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", help="comma-separated; default: all of grids.json")
    parser.add_argument("--suite", default="emoji-ae")
    parser.add_argument("--model", default="emoji-unet")
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
    for method in methods:
        for setting in settings(grids[method]):
            if any(entry["method"] == method and entry["setting"] == setting for entry in entries):
                continue
            entries.append(bed.measured(method, setting))
            write_json(path, entries)
            print(json.dumps(entries[-1]), flush=True)
    for method in methods:
        entry = best(entries, method)
        chosen = " ".join(f"--set {method}.{key}={json.dumps(value)}" for key, value in entry["setting"].items())
        print(f"{method}: {entry['all_concepts']} at {entry['evaluations']} evaluations: {chosen}")


if __name__ == "__main__":
    main()
