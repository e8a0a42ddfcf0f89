"""One seed after another for each image, until the first steps of one promise enough.

Imports ComfyUI: only nodes that run inside it import this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.comfyui.attempt import Attempt, Latent, Sampling
from semguide.adapters.hosts.comfyui.guider import SemanticGuider
from semguide.adapters.hosts.comfyui.regions import is_confined
from semguide.guidance import Trace
from semguide.guidance.attempts import attempts_of

_NOT_REPEATED = "The sampler does not do the same twice: the picture of a seed that was finished later is another one."
_ONE_BY_ONE = (
    "An image that was tried again was drawn alone: a patch of the model that has something for each image of the "
    "batch gave it that of the first."
)


@dataclass(frozen=True)
class Drawn:
    """What came of a sampling with retries.

    Attributes:
        output: LATENT, as of SamplerCustomAdvanced.
        denoised: LATENT, as of SamplerCustomAdvanced.
        seeds: The seed of each image.
        evaluations: Evaluations of prompt, negative prompt and concepts, those of dropped seeds included.
        report: What was tried, and what could not be had.
    """

    output: Latent
    denoised: Latent
    seeds: list[int]
    evaluations: int
    report: str


def draw(
    guider: SemanticGuider,
    sampling: Sampling,
    retries: int,
    threshold: float,
    say: Callable[[str], None] = lambda text: None,
) -> Drawn:
    """Sample each image with one seed after another until one's score reaches the threshold, and finish the best.

    All images of a batch begin together. An image that is tried again is sampled alone, with the noise that the next
    seed has in its place of the batch.

    Args:
        guider: The guider; its trace will be that of the images that are returned.
        sampling: What to sample.
        retries: How many further seeds may be tried for an image.
        threshold: Score from which an image is finished, 0 to 1.
        say: Told what is being tried.
    """
    why = obstacle(guider, sampling) if retries else None
    first = Attempt(guider, sampling, threshold if retries and not why else None)
    first.run()
    tried = [[first] for _ in range(sampling.images)]
    for image, attempts in enumerate(tried if first.scores else []):
        for seed in attempts_of(first.seed, retries)[1:]:
            if _score(attempts[-1], image) >= threshold:
                break
            say(_told(tried))
            attempts.append(Attempt(guider, sampling.alone(image, seed), threshold))
            attempts[-1].run()
            best = _best(attempts, image)
            for dropped in attempts[1:]:
                if dropped is not best:
                    dropped.forget()
    return _finished(guider, tried, why)


def obstacle(guider: SemanticGuider, sampling: Sampling) -> str | None:
    """Return why images cannot be tried again; None where they can."""
    concepts = guider.concept_entries()
    entries = [entry for cond in guider.original_conds.values() for entry in cond]
    reasons = {
        "the score is of two concepts or more": len(concepts) < 2,
        "at a cfg of 1 there is no guidance, of which the score is": math.isclose(guider.cfg, 1.0),
        "a concept has an area, a mask or a range of steps, and the score is of concepts of the whole picture": any(
            map(is_confined, concepts)
        ),
        "the latent has a noise mask, and the score is of whole pictures": "noise_mask" in sampling.latent,
        "the latent has several parts": sampling.nested,
        "there are no steps": len(sampling.sigmas) < 2,
        "a conditioning has something for each image of the batch": sampling.images > 1
        and not all(map(_same_for_all, entries)),
    }
    found = next((reason for reason, holds in reasons.items() if holds), None)
    if found is None and not _follows_its_seed(sampling):
        return f"the noise does not follow a seed ({type(sampling.noise).__name__}); connect RandomNoise"
    return found


def _same_for_all(entry: dict[str, Any]) -> bool:
    """Whether an entry says the same of every image of a batch."""
    return not any(_differs(name, value) for name, value in entry.items())


def _differs(name: str, value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.ndim >= (3 if name == "mask" else 2) and len(value) > 1
    hint, before = (getattr(value, each, None) for each in ("cond_hint_original", "previous_controlnet"))
    return (isinstance(hint, Tensor) and len(hint) > 1) or (before is not None and _differs(name, before))


def _follows_its_seed(sampling: Sampling) -> bool:
    if "seed" not in getattr(sampling.noise, "__dict__", {}):
        return False
    both = [sampling.alone(0, seed) for seed in attempts_of(sampling.noise.seed, 1)]
    return not torch.equal(*(each.noise.generate_noise(each.latent) for each in both))


def _score(attempt: Attempt, image: int) -> float:
    return attempt.scores[attempt.place_of(image)]


def _best(attempts: Sequence[Attempt], image: int) -> Attempt:
    """Return the attempt of an image with the highest score; one that was not scored is the only one."""
    return max(attempts, key=lambda attempt: _score(attempt, image)) if len(attempts) > 1 else attempts[0]


def _finished(guider: SemanticGuider, tried: Sequence[Sequence[Attempt]], why: str | None) -> Drawn:
    """Finish the best attempt of each image, and put the images together."""
    chosen = [_best(attempts, image) for image, attempts in enumerate(tried)]
    every = list(dict.fromkeys(attempt for attempts in tried for attempt in attempts))
    drawn = {attempt: attempt.finish() for attempt in every if attempt in chosen}
    output, denoised = drawn[chosen[0]]
    trace = chosen[0].trace()
    if len(every) > 1:
        places = [(attempt, attempt.place_of(image)) for image, attempt in enumerate(chosen)]
        output = _together([(drawn[attempt][0], place) for attempt, place in places])
        denoised = _together([(drawn[attempt][1], place) for attempt, place in places])
        trace = _joined([(attempt.trace(), place) for attempt, place in places])
    guider.show(trace)
    told = [f"Drawn once: {why}."] if why else [_told(tried, chosen)]
    told += [] if all(attempt.repeats for attempt in drawn) else [_NOT_REPEATED]
    told += [_ONE_BY_ONE] if len(tried) > 1 and len(every) > 1 and every[0].patched else []
    evaluations = sum(attempt.evaluations for attempt in every)
    return Drawn(output, denoised, [attempt.seed for attempt in chosen], evaluations, "\n".join(told))


def _together(images: Sequence[tuple[Latent, int]]) -> Latent:
    """Return one LATENT of an image of each."""
    samples = torch.cat([latent["samples"][place : place + 1] for latent, place in images])
    return {**images[0][0], "samples": samples}


def _joined(traces: Sequence[tuple[Trace, int]]) -> Trace:
    """Return one trace of an image of each."""
    names = [each.name for each in fields(Trace) if each.name != "method"]
    return replace(
        traces[0][0], **{name: tuple(getattr(trace, name)[place] for trace, place in traces) for name in names}
    )


def _told(tried: Sequence[Sequence[Attempt]], chosen: Sequence[Attempt] | None = None) -> str:
    """Return what was tried of each image, a line each."""
    lines: list[str] = []
    for image, attempts in enumerate(tried):
        parts = [
            f"seed {attempt.seed}"
            + (f": {_score(attempt, image):.2f}" if attempt.scores else "")
            + (", drawn" if chosen is not None and attempt is chosen[image] else "")
            for attempt in attempts
        ]
        lines.append((f"image {image + 1}: " if len(tried) > 1 else "") + "; ".join(parts))
    return "\n".join(lines)
