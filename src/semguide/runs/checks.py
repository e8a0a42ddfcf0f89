"""Checks of a run's arguments. No torch."""

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
    """Check that a prompt is not blank.

    Raises:
        InvalidArgument: It is.
    """
    if not prompt.strip():
        raise InvalidArgument(f"prompt must hold some text, got {prompt!r}; say what the picture should show")


def check_steps(steps: int) -> None:
    """Check the number of denoising steps.

    Raises:
        InvalidArgument: It is not in [1, 1000].
    """
    if not 1 <= steps <= LARGEST_STEPS:
        raise InvalidArgument(f"num_inference_steps (--steps) must be from 1 to {LARGEST_STEPS}, got {steps}; try 25")


def check_guidance_scale(scale: float) -> None:
    """Check the guidance scale.

    Raises:
        InvalidArgument: It is not in (1, 100]; 1 turns guidance off.
    """
    if not (math.isfinite(scale) and 1 < scale <= LARGEST_GUIDANCE_SCALE):
        raise InvalidArgument(
            f"guidance_scale (--guidance-scale) must be greater than 1 (1 turns guidance off: nothing to steer) "
            f"and at most {LARGEST_GUIDANCE_SCALE:g}, got {scale}; try 7.5"
        )


def check_seeds(seeds: Iterable[int]) -> None:
    """Check the seeds.

    Raises:
        InvalidArgument: There is none, one occurs twice, or one is not in [0, 2^63 - 1].
    """
    seeds = sorted(seeds)
    if not seeds:
        raise InvalidArgument("num_images (--num-images) must be at least 1; ask for 1 or more")
    if not all(0 <= seed <= LARGEST_SEED for seed in (seeds[0], seeds[-1])):
        raise InvalidArgument(f"seed (--seed) must be from 0 to 2^63 - 1 for every image, got {seeds[0]}; try 0")
    if len(set(seeds)) < len(seeds):
        raise InvalidArgument(f"seeds must differ from each other, got {seeds}; remove the repetitions")


def check_size(height: int, width: int, model: ModelDescription) -> None:
    """Check the height and width in pixels against the model's range.

    Raises:
        InvalidArgument: One is out of range or no multiple of the model's size step.
    """
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
    """Check that a name is in a list.

    Args:
        argument: Name of the argument, for the message.
        name: The value.
        valid: The valid names.

    Raises:
        InvalidArgument: It is not; the message has the list and the nearest name.
    """
    valid = list(valid)
    if name in valid:
        return
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; choose one of these"
    raise InvalidArgument(f"{argument} must be one of {', '.join(valid)}, got {name!r}{hint}")
