"""The picture that a prompt of the emoji world asks for, drawn without any model: the reference of image quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semguide.evaluation.suites import SuitePrompt
from semguide.files import digest
from semguide_emoji.scenes import COLOURS, Scene, World, relation, render
from semguide_emoji.scenes.vocabulary import asked_colour
from semguide_emoji.training.presets import PRESETS

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST = 4
"""Objects for which a scene has room."""


def world_of(size: int) -> World | None:
    """Return the world that an embedded checkpoint of this size draws; None where there is none."""
    return next((preset.drawn_world for preset in PRESETS.values() if preset.size == size), None)


def rendered(prompt: SuitePrompt, seed: int, size: int) -> Image | None:
    """Draw what a prompt asks for; the same prompt and seed give the same picture.

    Args:
        prompt: The prompt; things without a colour are drawn in their natural ones.
        seed: Decides places, sizes and background.
        size: Side of the picture, pixels.

    Returns:
        The picture; None where no embedded checkpoint has this size, or the prompt asks for what its world has not.
    """
    from PIL import Image

    world = world_of(size)
    if world is None or not _drawable(prompt, world):
        return None
    rng = np.random.default_rng(int(digest([prompt.text, seed])[:16], 16))
    scene = _scene(prompt, world, rng)
    return Image.fromarray(np.asarray(np.rint(render(scene, size) * 255.0), dtype=np.uint8))


def _scene(prompt: SuitePrompt, world: World, rng: np.random.Generator) -> Scene:
    things = [(c.head, asked_colour(c)) for c in prompt.concepts for _ in range(c.count or 1)]
    while True:
        scene = world.scene_of(rng, things)
        if prompt.position is None or relation(*scene.objects[:2]) == prompt.position:
            return scene


def _drawable(prompt: SuitePrompt, world: World) -> bool:
    known = all(c.head in world.nouns and set(c.attributes) <= set(COLOURS) for c in prompt.concepts)
    counts = [concept.count or 1 for concept in prompt.concepts]
    placed = prompt.position is None or counts == [1, 1]
    return known and placed and 1 <= sum(counts) <= _MOST
