"""Making the images of some shots: one as the command line makes it, or several of the same shape in one call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from semguide.interfaces.making import MadeImage, generator_of, made_image, make_with, sampling_arguments
from semguide.interfaces.methods import build_rule
from semguide.interfaces.serving.queue import Shot


def paint(shots: Sequence[Shot], pipe: Any, hooks: dict[str, Any]) -> list[MadeImage]:
    """Make images.

    Args:
        shots: Images of the same shape, at least one. A single one equals the command line's to the bit; several
            share their denoiser calls and equal it to rounding.
        pipe: The pipeline of their model.
        hooks: Arguments of the pipeline call that look on.
    """
    from semguide.adapters import steer

    first = shots[0]
    rule = build_rule(first.picture.method, first.job.run.sampling.guidance_scale)
    if len(shots) == 1:
        return [make_with(first.job.run, first.picture.method, first.picture.seed, steer(pipe, rule), **hooks)]
    return _paint_together(shots, steer(pipe, rule, batch_invariant=False), hooks)


def _paint_together(shots: Sequence[Shot], steered: Any, hooks: dict[str, Any]) -> list[MadeImage]:
    start = time.perf_counter()
    runs = [shot.job.run for shot in shots]
    negatives = [run.negative_prompt for run in runs]
    result = steered(
        [run.prompt for run in runs],
        concepts=[list(run.concepts) for run in runs],
        negative_prompt=negatives if all(negatives) else None,
        generator=[generator_of(shot.picture.seed) for shot in shots],
        **sampling_arguments(runs[0]),
        **hooks,
    )
    seconds = (time.perf_counter() - start) / len(shots)
    pictures = [shot.picture for shot in shots]
    return [made_image(result, i, p.method, p.seed, seconds) for i, p in enumerate(pictures)]
