"""What float32 does to the published rules: the reference cases run in float32, against their float64 values.

    PYTHONPATH=tests python benchmarks/float32_gates.py ../shared/golden [CASE ...]

prints one row per case: largest difference of the similarities, of the first and the last guided prediction and of the
final latents (the last three in units of the reference's largest value), and how many subject gates flipped; the masks
and the abstract gate are hard too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semguide.guidance import SGTv1
from support.golden_cases import Case, deviation, load_case, run_case, similarities


def cases_of(folder: Path) -> list[str]:
    """Return the names of the cases in a folder."""
    return sorted(path.stem for path in (folder / "portable").glob("*.npz"))


def open_gates(case: Case, values: np.ndarray) -> np.ndarray:
    """Return which subject gates the similarities open: (step, concept)."""
    rule, subjects = case.rule, values[:, :-1]
    if isinstance(rule, SGTv1):
        low = 1 / (subjects.shape[1] + 1) if rule.subject_threshold == "auto" else rule.subject_threshold
        return (subjects < low).astype(int) - (subjects > rule.upper_bound)
    means = [subjects[max(0, i - rule.window) : i].mean(axis=0) for i in range(1, len(subjects))]
    return np.stack(means) < rule.subject_threshold


def row(case: Case, pipe: Any) -> list[float]:
    """Run a case in float32 and return its deviations."""
    result, predictions = run_case(pipe, case, torch.float32)
    found = similarities(case, result.trace)
    flipped = (open_gates(case, found) != open_gates(case, case.values["similarities"])).sum()
    return [
        float(np.abs(found - case.values["similarities"]).max()),
        deviation(predictions[0], case.values["eps_step0"]),
        deviation(predictions[-1], case.values["eps_last"]),
        deviation(result.images, case.values["final_latents"]),
        float(flipped),
    ]


def main(folder: Path, names: list[str]) -> None:
    """Print the table."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(folder / "tiny-sd")
    pipe.set_progress_bar_config(disable=True)
    print(f"{'case':22}{'similarity':>12}{'first':>12}{'last':>12}{'latents':>12}{'flipped':>9}")
    for name in names or cases_of(folder):
        numbers = row(load_case(folder, name), pipe)
        print(f"{name:22}" + "".join(f"{number:12.1e}" for number in numbers[:-1]) + f"{numbers[-1]:9.0f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
