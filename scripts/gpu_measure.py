"""Steered calls of a pipeline against plain ones of as many evaluations: time, memory, waits, repeatability."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from semguide import SGT, Concept, steer
from semguide.guidance import Rule

PROMPT = "a red book and a yellow vase"
CONCEPTS = [Concept("a red book", head="book"), Concept("a yellow vase", head="vase")]  # with heads: no tagger is asked
RULE = SGT()
LIMITS = {"time": 1.02, "memory": 1.05, "rule": 0.02, "synchronisations": 0.0, "difference": 0.0}
"""Seconds and peak memory, steered over plain at equal evaluations; the rule's share of a step; how often it makes the
host wait for the device in a step; the largest difference between two pictures of one seed."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """Where, how large and with which results folder to measure."""

    device: torch.device
    toy: bool
    out: Path

    @property
    def cuda(self) -> bool:
        """Whether there is an accelerator to ask."""
        return self.device.type == "cuda"

    def judged(self, kind: str, value: float | None) -> Row:
        """Return a value beside its limit; `ok` is None where it cannot be told."""
        told = None if self.toy and kind in ("time", "rule") else value
        return {"value": value, "limit": LIMITS[kind], "ok": None if told is None else told <= LIMITS[kind]}


@dataclass(frozen=True)
class Calls:
    """Calls of a pipeline for some images, plain or steered."""

    pipe: Any
    batch: int = 1
    one_call: bool = True
    rule: Rule[Any] = RULE

    def arguments(self, steps: int) -> Row:
        """Return what plain and steered calls have in common."""
        noise = [torch.Generator().manual_seed(seed) for seed in range(self.batch)]
        return {"prompt": [PROMPT] * self.batch, "num_inference_steps": steps, "generator": noise}

    def plain(self, steps: int) -> Any:
        """Return latents of classifier-free guidance."""
        scale = self.rule.guidance_scale
        return self.pipe(**self.arguments(steps), guidance_scale=scale, output_type="latent").images

    def steered(self, steps: int, output_type: str = "latent") -> Any:
        """Return the result with the rule."""
        tuned = steer(self.pipe, self.rule, batch_invariant=not self.one_call)
        return tuned(**self.arguments(steps), concepts=CONCEPTS, output_type=output_type)


def timed(setting: Setting, call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the seconds, the peak of memory in MiB (0 without CUDA) and the value of a call."""
    if setting.cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    value = call()
    if setting.cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, torch.cuda.max_memory_allocated() / 2**20 if setting.cuda else 0.0, value


def compare(setting: Setting, calls: Calls, steps: int) -> Row:
    """Measure steered calls of some steps against plain ones of as many evaluations, twice each."""
    evaluations = calls.rule.evaluations_per_image(steps, len(CONCEPTS))
    warm_up = {name: timed(setting, partial(getattr(calls, name), 2))[0] for name in ("plain", "steered")}
    plain = [timed(setting, lambda: calls.plain(evaluations // 2)) for _ in range(2)]
    steered = [timed(setting, lambda: calls.steered(steps)) for _ in range(2)]
    first, second = (run[2] for run in steered)
    if first.evaluations != [evaluations] * calls.batch:
        raise RuntimeError(f"expected {evaluations} evaluations an image, got {first.evaluations}")
    if not first.images.isfinite().all():
        raise RuntimeError("the latents are not finite")
    seconds, peaks = ([min(run[i] for run in runs) for runs in (plain, steered)] for i in (0, 1))
    return {
        "evaluations": evaluations,
        "plain": {"steps": evaluations // 2, "seconds": seconds[0], "peak_mib": peaks[0], "warm_up": warm_up["plain"]},
        "steered": {"steps": steps, "seconds": seconds[1], "peak_mib": peaks[1], "warm_up": warm_up["steered"]},
        "time": setting.judged("time", seconds[1] / seconds[0]),
        "memory": setting.judged("memory", peaks[1] / peaks[0] if setting.cuda else None),
        "difference": setting.judged("difference", float((first.images - second.images).abs().max())),
    }


def waits(call: Callable[[int], Any], steps: int) -> Counter[str]:
    """Count by place in the code how often the host waits for the device in a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            call(steps)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    found = [item for item in caught if "synchronizing CUDA operation" in str(item.message)]
    return Counter(f"{Path(item.filename).name}:{item.lineno}" for item in found)


def synchronisations(setting: Setting, pipe: Any) -> Row:
    """Count what five steps more add to a call, plain and with the rule in every step: that is the loop alone."""
    if not setting.cuda:
        return {"synchronisations": setting.judged("synchronisations", None)}
    calls = Calls(pipe, rule=SGT(stop=1.0))
    row: Row = {}
    for name in ("plain", "steered"):
        call = getattr(calls, name)
        call(2)
        found = waits(call, 10)
        found.subtract(waits(call, 5))
        row[name] = {"a_step": found.total() / 5, "places": {place: n for place, n in found.items() if n}}
    added = max(0.0, row["steered"]["a_step"] - row["plain"]["a_step"])
    return {**row, "synchronisations": setting.judged("synchronisations", added)}
