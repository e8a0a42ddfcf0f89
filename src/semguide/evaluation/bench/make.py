"""One job of a benchmark: make the image, judge it, return its row."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.bench.files import Row
from semguide.evaluation.bench.plan import Bench, BenchMethod, BenchTask
from semguide.evaluation.judging import load_judge
from semguide.evaluation.makers import MAKERS, MakeOne, by_rule
from semguide.evaluation.metrics import Scorer
from semguide.evaluation.suites import SuitePrompt
from semguide.files import atomic
from semguide.guidance import Trace, get_method
from semguide.models import load

_DIGITS = 6


class Maker:
    """Makes the images of a benchmark with a pipeline and a judge of its own; no image depends on another.

    Args:
        bench: The benchmark.
        out: Its folder; pictures go to `images/` below it.
        device: torch device.
    """

    def __init__(self, bench: Bench, out: Path, device: str) -> None:
        self._bench = bench
        self._out = out
        pipe: Any = load(bench.model_path, device=device)
        pipe.set_progress_bar_config(disable=True)
        self._judge = load_judge(Path(bench.judge_path)) if bench.judge_path else None
        self._scorer = Scorer(bench.scorers, device)
        self._methods = [_bound(pipe, bench, method) for method in bench.methods]

    def make(self, job: BenchTask) -> Row:
        """Make one image, and keep it if the benchmark keeps images.

        Returns:
            Its row, of JSON values.
        """
        bench, prompt = self._bench, self._bench.prompts[job.prompt]
        start = time.perf_counter()
        made = self._methods[job.method](prompt.text, prompt.concepts, job.seed)
        seconds = time.perf_counter() - start
        image_id = bench.image_id(job)
        return {
            "id": image_id,
            **describe(bench, job),
            **self._judged(prompt, made.image),
            **self._scorer.columns(prompt, job.seed, made.image),
            "evaluations": made.evaluations,
            "seconds": round(seconds, 4),
            **traced(made.trace),
            "details": None if made.details is None else json.dumps(made.details, sort_keys=True),
            "image": self._keep(image_id, made.image) if bench.keep_images else None,
        }

    def _judged(self, prompt: SuitePrompt, image: Any) -> Row:
        """The judge's columns; None where there is no judge, or it does not know what the prompt asks for."""
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

    def _keep(self, image_id: str, image: Any) -> str:
        place = image_place(image_id)
        path = self._out / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            image.save(temporary, format="PNG")
        return place


def _bound(pipe: Any, bench: Bench, method: BenchMethod) -> MakeOne:
    """Return what makes the images of a method: a maker of its name, else the rule."""
    parameters = {"guidance_scale": bench.scale_of(method), **method.parameters}
    if method.name in MAKERS:
        return MAKERS[method.name](**parameters).bind(pipe, bench.sampling)
    return by_rule(pipe, get_method(method.name)(**parameters), bench.sampling)


def image_place(image_id: str) -> str:
    """Return where a kept picture lies, relative to the folder."""
    return f"images/{image_id[:2]}/{image_id[:32]}.png"


def describe(bench: Bench, job: BenchTask) -> Row:
    """Return the columns of a row that are known before the image is made."""
    method, prompt = bench.methods[job.method], bench.prompts[job.prompt]
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
        "num_inference_steps": bench.num_inference_steps,
        "height": bench.height,
        "width": bench.width,
        "seed": job.seed,
        "concepts": [concept.text for concept in prompt.concepts],
    }


def traced(trace: Trace | None) -> Row:
    """Return the columns of the first image's trace, rounded; None for steps where concepts were not evaluated."""
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
