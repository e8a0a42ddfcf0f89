"""A task of a benchmark: generate the image, judge and score it, return its row."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.bench.plan import Bench, BenchMethod, BenchTask
from semguide.evaluation.judging import load_judge
from semguide.evaluation.metrics import Scorer
from semguide.evaluation.rows import Row
from semguide.evaluation.sampling_methods import SAMPLING_METHODS, SampledImage, SampleFunction, sample_with_rule
from semguide.evaluation.suites import SuitePrompt
from semguide.guidance import Trace, get_method
from semguide.models import load
from semguide.runs.generation import frames_warning
from semguide.runs.png import Video, write_png

_DIGITS = 6


class TaskRunner:
    """Runs tasks of a benchmark with its own pipeline, judge and scorers; no image depends on another.

    Args:
        bench: The benchmark.
        out: Its folder; kept images go to `images/` in it.
        device: torch device.
    """

    def __init__(self, bench: Bench, out: Path, device: str) -> None:
        self._bench = bench
        self._out = out
        pipe: Any = load(bench.model_path, device, bench.loading)
        pipe.set_progress_bar_config(disable=True)
        self._judge = load_judge(Path(bench.judge_path)) if bench.judge_path else None
        self._scorer = Scorer(bench.scorers, device)
        self._methods = [_bind(pipe, bench, method) for method in bench.methods]

    def run(self, task: BenchTask) -> Row:
        """Generate an image, and keep it if the benchmark keeps images; of a video the middle frame is judged.

        Returns:
            Its row, JSON values by column.
        """
        bench, prompt = self._bench, self._bench.prompts[task.prompt]
        start = time.perf_counter()
        sampled = self._methods[task.method](prompt.text, prompt.concepts, task.seed)
        seconds = time.perf_counter() - start
        _check_frames(bench, sampled)
        image_id = bench.image_id(task)
        return {
            "id": image_id,
            **task_columns(bench, task),
            **self._verdict_columns(prompt, sampled.still),
            **self._scorer.columns(prompt, task.seed, sampled.still),
            "evaluations": sampled.evaluations,
            "seconds": round(seconds, 4),
            **trace_columns(sampled.trace),
            "log_odds": None if sampled.log_odds is None else [round(odds, _DIGITS) for odds in sampled.log_odds],
            "details": None if sampled.details is None else json.dumps(sampled.details, sort_keys=True),
            "image": self._save(image_id, sampled.image) if bench.keep_images else None,
        }

    def _verdict_columns(self, prompt: SuitePrompt, image: Any) -> Row:
        """Return the judge's columns; None values without a judge, or if the prompt is not judgeable."""
        if self._judge is None or not self._judge.judgeable(prompt):
            return dict.fromkeys(("verdicts", "all_concepts", "counts", "position_right", "findings"))
        findings = self._judge.look(image)
        verdict = self._judge.rule_on(prompt, findings)
        return {
            "verdicts": list(verdict.concepts),
            "all_concepts": verdict.all_right,
            "counts": list(verdict.counts),
            "position_right": verdict.position_right,
            "findings": [asdict(finding) for finding in findings],
        }

    def _save(self, image_id: str, image: Any) -> str:
        name = image_path(image_id)
        path = self._out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, image)
        return name


def _bind(pipe: Any, bench: Bench, method: BenchMethod) -> SampleFunction:
    """Bind a sampling method or a rule to the pipeline."""
    parameters: dict[str, Any] = {"guidance_scale": bench.scale_of(method), **method.parameters}
    if method.name in SAMPLING_METHODS:
        return SAMPLING_METHODS[method.name](**parameters).bind(pipe, bench.sampling_of(method))
    return sample_with_rule(pipe, get_method(method.name)(**parameters), bench.sampling_of(method))


def _check_frames(bench: Bench, sampled: SampledImage) -> None:
    """Warn where a pipeline made another number of frames than it was asked for."""
    if isinstance(sampled.image, Video) and (told := frames_warning(bench.num_frames, len(sampled.image.frames))):
        warnings.warn(told, stacklevel=2)


def image_path(image_id: str) -> str:
    """Return the path of a kept image, relative to the folder."""
    return f"images/{image_id[:2]}/{image_id[:32]}.png"


def task_columns(bench: Bench, task: BenchTask) -> Row:
    """Return the columns of a row that are known before the image is sampled."""
    method, prompt = bench.methods[task.method], bench.prompts[task.prompt]
    return {
        "suite": bench.suite,
        "prompt": prompt.text,
        "category": prompt.category,
        "split": prompt.split,
        "model": bench.model,
        "method": method.name,
        "parameters_hash": method.parameters_hash,
        "parameters": json.dumps(method.parameters, sort_keys=True),
        "guidance_scale": bench.scale_of(method),
        "num_inference_steps": bench.steps_of(method),
        "height": bench.height,
        "width": bench.width,
        "seed": task.seed,
        "concepts": [concept.text for concept in prompt.concepts],
    }


def trace_columns(trace: Trace | None) -> Row:
    """Return the columns of the first image's trace, rounded; None for steps without evaluated concepts."""
    if trace is None:
        return dict.fromkeys(("mean_similarity", "similarity", "gate", "weight", "abstract"))
    similarity, abstract = trace.similarity[0], trace.abstract[0]
    evaluated: NDArray[np.bool_] = np.asarray(~np.isnan(similarity).all(axis=1) if similarity.size else [], dtype=bool)
    means = similarity[evaluated].mean(axis=0) if evaluated.any() else None
    return {
        "mean_similarity": None if means is None else _plain(means),
        "similarity": _rows(similarity, evaluated),
        "gate": _rows(trace.gate[0], evaluated),
        "weight": _rows(trace.weight[0], evaluated),
        "abstract": None if abstract is None or not evaluated.any() else _plain(abstract),
    }


def _rows(values: NDArray[np.float64], evaluated: NDArray[np.bool_]) -> list[list[float | None] | None] | None:
    if not evaluated.any():
        return None
    return [_plain(row) if there else None for row, there in zip(values, evaluated, strict=True)]


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), _DIGITS) for value in values]
