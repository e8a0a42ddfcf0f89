"""What a rule should have led to, worked out from runs of the pipeline under diffusers' own guider."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import MIN_SCALE
from semguide.guidance import Predictions, Rule, Step
from support.guiders.run import SCALE, Record, Seen, call, guiders_of, recorded
from support.guiders.table import ROWS


def expected(
    name: str,
    plain: Any,
    rule: Rule[Any],
    script: Record,
    prompts: Any,
    concepts: Sequence[Sequence[str]],
    **given: Any,
) -> dict[str, list[Tensor]]:
    """Return the guided predictions of each step, by the guider's name, along the latents of a recorded run.

    The concepts go through the pipeline as if they were prompts; what the rule adds is written out in `_guided`.
    """
    batch = [prompts] if isinstance(prompts, str) else prompts
    most = max(len(texts) for texts in concepts)
    slots = [
        [texts[k] if k < len(texts) else prompt for texts, prompt in zip(concepts, batch, strict=True)]
        for k in range(most)
    ]
    runs = []
    for texts in (batch, *slots):
        pipe, record = recorded(plain, script)
        call(name, pipe, texts[0] if isinstance(prompts, str) else texts, **given)
        runs.append(record)
    host, *own = [[seen for part in guiders_of(plain) for seen in run[part]] for run in runs]
    found = iter(_guided(name, rule, host, own, concepts))
    return {part: list(islice(found, len(runs[0][part]))) for part in guiders_of(plain)}


def _guided(
    name: str, rule: Rule[Any], host: list[Seen], own: list[list[Seen]], concepts: Sequence[Sequence[str]]
) -> list[Tensor]:
    """Return u + w (c - u) + the rule's correction at each step."""
    images = len(host[0].given["pred_cond"]) if ROWS[name].batched else 1
    texts = [names for names in concepts for _ in range(images // len(concepts))]
    scale = SCALE + 1 if ROWS[name].anchored else SCALE
    found: list[Tensor] = []
    states: list[Any] = []
    for number, seen in enumerate(host):
        if number == 0 or seen.step <= host[number - 1].step:
            states = [rule.initial_state(len(names)) for names in texts]
        place = Step(seen.step, seen.count, scale, _eps_scale(name, seen))
        cond, uncond = (_rows(name, seen.given[branch]) for branch in ("pred_cond", "pred_uncond"))
        guided = uncond + scale * (cond - uncond)
        for i, names in enumerate(texts):
            if names:
                mine = torch.stack([_rows(name, own[k][number].given["pred_cond"])[i] for k in range(len(names))])
                correction, states[i] = rule.correct(Predictions(uncond[i], cond[i], mine), place, states[i])
                guided[i] += correction.delta
        found.append(guided if ROWS[name].batched else guided[0])
    return found


def _rows(name: str, prediction: Tensor) -> Tensor:
    return prediction if ROWS[name].batched else prediction[None]


def _eps_scale(name: str, seen: Seen) -> float:
    """Return how eps differs for a difference of raw predictions."""
    kind, noise = ROWS[name].predicts, max(seen.sigma, MIN_SCALE)
    if kind == "eps":
        return 1.0
    return max(1 - noise, MIN_SCALE) * (1.0 if kind == "flow" else -1 / noise)
