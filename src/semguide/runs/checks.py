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
MOST_RETRIES = 100
LARGEST_NUM_FRAMES = 1000
LONGEST_TEXT = 10_000
"""Characters of a prompt, a negative prompt or a concept; text encoders read a tenth of that, or less."""


def check_text(argument: str, text: str) -> None:
    """Check that a text is one that a text encoder can be given.

    Raises:
        InvalidArgument: It is longer than `LONGEST_TEXT`, or not Unicode.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidArgument(argument, f"must be at most {LONGEST_TEXT} characters", len(text), "shorten it")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidArgument(argument, "must be Unicode text, with no lone surrogate", text, "send it as UTF-8")


def check_prompt(prompt: str) -> None:
    """Check that a prompt is a text and not blank.

    Raises:
        InvalidArgument: It is not.
    """
    check_text("prompt", prompt)
    if not prompt.strip():
        raise InvalidArgument("prompt", "must hold some text", prompt, "say what the picture should show")


def check_steps(steps: int) -> None:
    """Check the number of denoising steps.

    Raises:
        InvalidArgument: It is not in [1, 1000].
    """
    if not 1 <= steps <= LARGEST_STEPS:
        raise InvalidArgument("num_inference_steps", f"must be from 1 to {LARGEST_STEPS}", steps, "try 25")


def check_retries(retries: int) -> None:
    """Check how many further seeds may be tried for an image.

    Raises:
        InvalidArgument: It is not in [0, 100].
    """
    if not 0 <= retries <= MOST_RETRIES:
        raise InvalidArgument("retries", f"must be from 0 to {MOST_RETRIES}", retries, "try 3")


def check_guidance_scale(scale: float) -> None:
    """Check the guidance scale.

    Raises:
        InvalidArgument: It is not in [1, 100].
    """
    if not (math.isfinite(scale) and 1 <= scale <= LARGEST_GUIDANCE_SCALE):
        most = f"{LARGEST_GUIDANCE_SCALE:g}"
        rule = f"must be from 1 (no guidance, for checkpoints of a few steps) to {most}"
        raise InvalidArgument("guidance_scale", rule, scale, "give 1 for no guidance" if scale < 1 else "try 7.5")


def check_seeds(seeds: Iterable[int]) -> None:
    """Check the seeds.

    Raises:
        InvalidArgument: There is none, one occurs twice, or one is not in [0, 2^63 - 1].
    """
    seeds = sorted(seeds)
    if not seeds:
        raise InvalidArgument("num_images", "must be at least 1", 0)
    if not all(0 <= seed <= LARGEST_SEED for seed in (seeds[0], seeds[-1])):
        raise InvalidArgument("seed", "must be from 0 to 2^63 - 1 for every image", seeds[0], "try 0")
    if len(set(seeds)) < len(seeds):
        raise InvalidArgument("seeds", "must differ from each other", seeds, "remove the repetitions")


def check_size(height: int, width: int, model: ModelDescription) -> None:
    """Check the height and width in pixels against the model's range.

    Raises:
        InvalidArgument: One is out of range or no multiple of the model's size step.
    """
    for name, value in (("height", height), ("width", width)):
        if value % model.size_multiple:
            rule = f"must be a multiple of {model.size_multiple} for {model.name}"
        elif not model.smallest <= value <= model.largest:
            rule = f"must be from {model.smallest} to {model.largest} for {model.name}"
        else:
            continue
        raise InvalidArgument(name, rule, value, f"try {_nearest(value, model)}")


def check_num_frames(num_frames: int, model: ModelDescription) -> None:
    """Check the number of frames of a video.

    Raises:
        InvalidArgument: It is not in [1, 1000], the model makes no such number, or it makes pictures.
    """
    if model.video is None:
        rule = f"must stand beside a model that makes videos, and {model.name} makes pictures"
        raise InvalidArgument("num_frames", rule, num_frames, "leave it out")
    if not 1 <= num_frames <= LARGEST_NUM_FRAMES:
        raise InvalidArgument("num_frames", f"must be from 1 to {LARGEST_NUM_FRAMES}", num_frames, "try the default")
    if model.video.fixed and num_frames != model.video.num_frames:
        rule = f"must be {model.video.num_frames}, the only number of frames that {model.name} makes"
        raise InvalidArgument("num_frames", rule, num_frames, "leave it out")


def _nearest(value: int, model: ModelDescription) -> int:
    rounded = round(value / model.size_multiple) * model.size_multiple
    return min(max(rounded, model.smallest), model.largest)


def check_known(argument: str, name: str, valid: Iterable[str], rule: str = "must be one of") -> None:
    """Check that a name is in a list.

    Args:
        argument: Name of the argument.
        name: The value.
        valid: The valid names.
        rule: How the rule begins; the list follows.

    Raises:
        InvalidArgument: It is not; the remedy has the nearest name.
    """
    valid = list(valid)
    if name in valid:
        return
    close = difflib.get_close_matches(name.lower(), valid, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "choose one of these"
    raise InvalidArgument(argument, f"{rule} {', '.join(valid)}", name, remedy)
