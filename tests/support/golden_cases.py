"""The authors' reference values: the cases, our rule of each, and a run of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semguide.guidance import Rule, SGTv1, SGTv2

V1_NAMES = {
    "warm_up_steps": "warmup_steps",
    "cool_down_steps": "cooldown_steps",
    "threshold_subject": "subject_threshold",
    "threshold_abstract": "abstract_threshold",
}
V2_NAMES = {
    "subject_th": "subject_threshold",
    "abstract_th": "abstract_threshold",
    "edit_momentum_scale": "momentum_scale",
    "edit_mom_beta": "momentum_beta",
    "warmup": "warmup_steps",
    "cooldown": "cooldown_steps",
}


@dataclass(frozen=True)
class Case:
    """One case of cases.json with its values."""

    name: str
    prompt: str
    subjects: list[str]
    steps: int
    rule: Rule[Any]
    values: dict[str, np.ndarray]


def load_case(folder: Path, name: str) -> Case:
    """Read a case: its parameters, and the values that the authors' code computes with `float64_tables`."""
    entry = next(item for item in json.loads((folder / "cases.json").read_text()) if item["name"] == name)
    parameters: dict[str, Any] = dict(entry["parameters"])
    steps = parameters.pop("num_inference_steps")
    first = entry["variant"] == "dec-2023"
    names = V1_NAMES if first else V2_NAMES
    renamed = {names.get(key) or key: value for key, value in parameters.items()}
    rule = SGTv1(**renamed) if first else SGTv2(**renamed)
    with np.load(folder / "portable" / f"{name}.npz") as values:
        return Case(name, entry["prompt"], entry["subjects"], steps, rule, dict(values))


def similarities(case: Case, trace: Any) -> np.ndarray:
    """Return a trace's similarities in the authors' layout."""
    abstract = 1 - trace.abstract[0] if isinstance(case.rule, SGTv1) else trace.abstract[0]
    return np.concatenate([trace.similarity[0], abstract[:, None]], axis=1)


def deviation(value: Any, reference: np.ndarray) -> float:
    """Return the largest difference in units of the reference's largest value."""
    return float(np.abs(np.asarray(value) - reference).max() / np.abs(reference).max())


def run_case(pipe: Any, case: Case, dtype: torch.dtype) -> tuple[Any, list[np.ndarray]]:
    """Run a case; return the result and the guided prediction of every step."""
    from semguide.adapters import steer

    predictions: list[np.ndarray] = []
    step = pipe.scheduler.step

    def watched(model_output: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        predictions.append(model_output[0].double().numpy().copy())
        return step(model_output, *args, **kwargs)

    pipe.scheduler.step = watched
    try:
        result = steer(pipe, case.rule)(
            case.prompt,
            concepts=case.subjects,
            full_trace=True,
            num_inference_steps=case.steps,
            latents=torch.from_numpy(case.values["initial_latents"]).to(dtype),
            output_type="latent",
        )
    finally:
        del pipe.scheduler.step
    return result, predictions
