"""How good the embedded checkpoints are: the rows of their model cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from semguide.errors import InvalidArgument
from semguide.evaluation.judge import Finding, find, judged
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide.models.judge import Judge
from semguide.scenes import Scene, World
from semguide.scenes.scene import GRID
from semguide.scenes.vocabulary import NATURAL_COLOURS
from semguide.training.data import Batches, pixels
from semguide.training.vae import reconstruct


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """How well the judge sees.

    Attributes:
        found: Share of objects found with noun and place right.
        right: Share of objects found with the colour right too.
        false: Share of findings that are no object of the scene.
        objects: How many objects were looked for.
    """

    found: float
    right: float
    false: float
    objects: int


@torch.no_grad()
def judge_quality(judge: Judge, world: World, vae: Any = None, scenes: int = 2000) -> JudgeQuality:
    """Hold the judge against held-out rendered scenes.

    Args:
        judge: The detector.
        world: What scenes are drawn from.
        vae: An autoencoder to pass the pictures through first, or None.
        scenes: How many scenes, >= 1; rounded up to whole batches of 50.

    Raises:
        InvalidArgument: There is no scene to look at.
    """
    if scenes < 1:
        raise InvalidArgument(f"scenes must be >= 1, got {scenes}")
    batches = Batches(world, judge.config.size, 50, seed=999)
    found = right = false = objects = 0
    for index in range(-(-scenes // 50)):
        drawn = batches.scenes(index)[0]
        pictures = pixels(drawn, judge.config.size)
        if vae is not None:
            pictures = reconstruct(vae, pictures).clamp(-1, 1)
        for scene, findings in zip(drawn, find(judge, pictures), strict=True):
            counts = _compare(scene, findings)
            found, right, false = found + counts[0], right + counts[1], false + counts[2]
            objects += len(scene.objects)
    return JudgeQuality(found / objects, right / objects, false / max(1, found + false), objects)


def _compare(scene: Scene, findings: list[Finding]) -> tuple[int, int, int]:
    """Objects found, objects right, findings left over."""
    free = list(findings)
    found = right = 0
    for thing in scene.objects:
        x, y = (value / GRID for value in thing.centre)
        match = next((f for f in free if f.noun == thing.noun and max(abs(f.x - x), abs(f.y - y)) < 0.1), None)
        if match is not None:
            free.remove(match)
            found += 1
            right += match.colour == (thing.colour or NATURAL_COLOURS.get(thing.noun, "natural"))
    return found, right, len(free)


@torch.no_grad()
def plain_quality(
    pipe: Any,
    judge: Judge,
    guidance_scale: float,
    seeds: Sequence[int],
    limit: int | None = None,
    num_inference_steps: int = 25,
) -> dict[str, str]:
    """Judge single objects and pairs under the pipeline's own classifier-free guidance, on test prompts.

    Args:
        pipe: The pipeline.
        judge: Its judge.
        guidance_scale: Of the guidance.
        seeds: One image per prompt and seed, at least one.
        limit: Only so many prompts of each suite; None for all.
        num_inference_steps: Steps, >= 1.

    Returns:
        Suite and category, with the numbers of prompts and seeds -> share of images with every concept right.
    """
    rows: dict[str, str] = {}
    for name in ("emoji-single", "emoji-ae"):
        prompts = limited(suite(name, "test"), limit)
        right = np.array([_right(pipe, judge, prompts, seed, guidance_scale, num_inference_steps) for seed in seeds])
        for category in dict.fromkeys(prompt.category for prompt in prompts):
            chosen = [i for i, prompt in enumerate(prompts) if prompt.category == category]
            share = bootstrap(right[:, chosen].mean(axis=0))
            rows[f"{name} {category}, all concepts right ({len(chosen)} test prompts, {len(seeds)} seeds)"] = str(share)
    return rows


def _right(pipe: Any, judge: Judge, prompts: Sequence[SuitePrompt], seed: int, scale: float, steps: int) -> list[bool]:
    """Whether each prompt's image of one seed has every concept right."""
    verdicts: list[bool] = []
    for first in range(0, len(prompts), 32):
        batch = prompts[first : first + 32]
        images = pipe(
            [prompt.text for prompt in batch],
            num_inference_steps=steps,
            guidance_scale=scale,
            generator=[torch.Generator().manual_seed(seed) for _ in batch],
            output_type="pt",
        ).images
        found = find(judge, images.float() * 2 - 1)
        verdicts += [all(judged(f, prompt.concepts)) for f, prompt in zip(found, batch, strict=True)]
    return verdicts
