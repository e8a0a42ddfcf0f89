"""How good the embedded checkpoints are: the rows of their model cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from semguide.errors import InvalidArgument
from semguide.evaluation.judging import Detection
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import SuitePrompt, limited
from semguide_emoji.clip import EmojiCLIP
from semguide_emoji.evaluation.detections import find
from semguide_emoji.evaluation.verdict import rule_on
from semguide_emoji.judge import Judge
from semguide_emoji.scenes import TIDY, CaptionNoise, Scene, World, noun_phrase
from semguide_emoji.scenes.scene import GRID
from semguide_emoji.scenes.vocabulary import NATURAL_COLOURS
from semguide_emoji.suites import SUITES
from semguide_emoji.training.data import Batches, pixels
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.vae import reconstruct

AMONG = 128
"""Captions among which the right one must come first."""


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
        raise InvalidArgument("scenes", "must be >= 1", scenes)
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


def _compare(scene: Scene, findings: list[Detection]) -> tuple[int, int, int]:
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
    """Judge the test prompts of every suite under the pipeline's own classifier-free guidance.

    Args:
        pipe: The pipeline.
        judge: Its judge.
        guidance_scale: Of the guidance.
        seeds: One image per prompt and seed, at least one.
        limit: Only so many prompts of each suite; None for all.
        num_inference_steps: Steps, >= 1.

    Returns:
        Suite and category, with the numbers of prompts and seeds -> share of images with every concept right, and the
        count or the position where one is asked for.
    """
    rows: dict[str, str] = {}
    for name in SUITES:
        prompts = limited([prompt for prompt in SUITES[name].prompts() if prompt.split == "test"], limit)
        right = np.array([_right(pipe, judge, prompts, seed, guidance_scale, num_inference_steps) for seed in seeds])
        for category in dict.fromkeys(prompt.category for prompt in prompts):
            chosen = [i for i, prompt in enumerate(prompts) if prompt.category == category]
            share = bootstrap(right[:, chosen].mean(axis=0))
            rows[f"{name} {category}, all right ({len(chosen)} test prompts, {len(seeds)} seeds)"] = str(share)
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
        verdicts += [rule_on(prompt, things).all_right for prompt, things in zip(batch, found, strict=True)]
    return verdicts


@torch.no_grad()
def clip_quality(clip: EmojiCLIP, tokenizer: Any, world: World, scenes: int = 2048) -> dict[str, str]:
    """Hold emoji-clip against held-out rendered scenes.

    Args:
        clip: Both towers.
        tokenizer: Of its text tower.
        world: What scenes are drawn from.
        scenes: How many scenes, >= 1; rounded up to whole batches of 128.

    Returns:
        Quality -> share.

    Raises:
        InvalidArgument: There is no scene to look at.
    """
    if scenes < 1:
        raise InvalidArgument("scenes", "must be >= 1", scenes)
    count = -(-scenes // AMONG)
    rows: dict[str, str] = {}
    for kind, noise in (("noisy", CaptionNoise()), ("full", TIDY)):
        caption, picture = np.mean(
            [_first(clip, tokenizer, world, noise, index) for index in range(count)], axis=0, dtype=float
        )
        where = f"first among {AMONG}, {count * AMONG} rendered scenes, {kind} captions"
        rows |= {f"Right caption {where}": f"{caption:.3f}", f"Right scene {where}": f"{picture:.3f}"}
    nouns, colours = np.mean([_named(clip, tokenizer, world, index) for index in range(count)], axis=0, dtype=float)
    of = f"{count * AMONG} rendered single objects"
    rows[f"Right noun first among {len(world.nouns)}, the colour given, {of}"] = f"{nouns:.3f}"
    rows[f"Right colour first among {len(world.colours)}, the noun given, {of}"] = f"{colours:.3f}"
    return rows


def _first(clip: EmojiCLIP, tokenizer: Any, world: World, noise: CaptionNoise, index: int) -> tuple[float, float]:
    """Shares of pictures whose caption comes first, and of captions whose picture does; equal captions are equal."""
    pictures, captions = Batches(world, clip.shape.size, AMONG, seed=999, noise=noise)(index)
    logits = clip.similarity(tokenize(tokenizer, captions, clip.device), pictures.to(clip.device))
    best_caption = [captions[int(i)] for i in logits.argmax(dim=0)]
    best_picture = [captions[int(i)] for i in logits.argmax(dim=1)]
    first, second = (
        sum(a == b for a, b in zip(best, captions, strict=True)) / AMONG for best in (best_caption, best_picture)
    )
    return first, second


def _named(clip: EmojiCLIP, tokenizer: Any, world: World, index: int) -> tuple[float, float]:
    """Shares of single objects whose noun comes first in the right colour, and whose colour in the right noun."""
    alone = replace(world, object_weights=(1.0,), natural=0.0, worn=0.0)
    drawn = Batches(alone, clip.shape.size, AMONG, seed=998).scenes(index)[0]
    phrases = [noun_phrase(noun, colour) for noun in world.nouns for colour in world.colours]
    ids = tokenize(tokenizer, phrases, clip.device)
    similarity = clip.similarity(ids, pixels(drawn, clip.shape.size).to(clip.device)).T.cpu()
    grids = similarity.reshape(AMONG, len(world.nouns), len(world.colours))
    nouns = colours = 0
    for grid, scene in zip(grids, drawn, strict=True):
        noun = world.nouns.index(scene.objects[0].noun)
        colour = world.colours.index(scene.objects[0].colour or "")
        nouns += int(grid[:, colour].argmax()) == noun
        colours += int(grid[noun].argmax()) == colour
    return nouns / AMONG, colours / AMONG
