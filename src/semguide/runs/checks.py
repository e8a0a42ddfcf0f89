"""The ranges of a run's arguments; every refusal names argument, rule, value and remedy. No torch."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

from semguide.errors import InvalidArgument
from semguide.models import ModelDescription

LARGEST_SEED = 2**63 - 1
LARGEST_STEPS = 1000
LARGEST_GUIDANCE_SCALE = 100.0


def check_prompt(prompt: str) -> None:
    """Refuse a prompt with nothing in it."""
    if not prompt.strip():
        raise InvalidArgument(f"prompt must hold some text, got {prompt!r}; say what the picture should show")


def check_steps(steps: int) -> None:
    """Refuse a number of steps outside 1 to 1000."""
    if not 1 <= steps <= LARGEST_STEPS:
        raise InvalidArgument(f"num_inference_steps (--steps) must be from 1 to {LARGEST_STEPS}, got {steps}; try 25")


def check_guidance_scale(scale: float) -> None:
    """Refuse a guidance scale that turns guidance off (1 or less), is not finite or is beyond reason."""
    if not (math.isfinite(scale) and 1 < scale <= LARGEST_GUIDANCE_SCALE):
        raise InvalidArgument(
            f"guidance_scale (--guidance-scale) must be greater than 1 (1 turns guidance off: nothing to steer) "
            f"and at most {LARGEST_GUIDANCE_SCALE:g}, got {scale}; try 7.5"
        )


def check_seeds(seeds: Iterable[int]) -> None:
    """Refuse an empty list of seeds, one with repetitions or one outside 0 to 2^63 - 1."""
    seeds = sorted(seeds)
    if not seeds:
        raise InvalidArgument("num_images (--num-images) must be at least 1; ask for 1 or more")
    if not all(0 <= seed <= LARGEST_SEED for seed in (seeds[0], seeds[-1])):
        raise InvalidArgument(f"seed (--seed) must be from 0 to 2^63 - 1 for every image, got {seeds[0]}; try 0")
    if len(set(seeds)) < len(seeds):
        raise InvalidArgument(f"seeds must differ from each other, got {seeds}; remove the repetitions")


def check_size(height: int, width: int, model: ModelDescription) -> None:
    """Refuse a size that the model cannot make."""
    for name, value in (("height", height), ("width", width)):
        if value % model.size_multiple:
            raise InvalidArgument(
                f"{name} (--{name}) must be a multiple of {model.size_multiple} for {model.name}, got {value}; "
                f"try {_nearest(value, model)}"
            )
        if not model.smallest <= value <= model.largest:
            raise InvalidArgument(
                f"{name} (--{name}) must be from {model.smallest} to {model.largest} for {model.name}, got {value}; "
                f"try {_nearest(value, model)}"
            )


def _nearest(value: int, model: ModelDescription) -> int:
    rounded = round(value / model.size_multiple) * model.size_multiple
    return min(max(rounded, model.smallest), model.largest)


def check_known(argument: str, name: str, valid: Iterable[str]) -> None:
    """Refuse a name that is not in a list; the message has the list and the nearest name."""
    valid = list(valid)
    if name in valid:
        return
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; choose one of these"
    raise InvalidArgument(f"{argument} must be one of {', '.join(valid)}, got {name!r}{hint}")
