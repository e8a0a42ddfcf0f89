"""Scenes as crowded as models draw them: objects over one another and cut off by the edge, which no `World` draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semguide_emoji.scenes import Scene, SceneObject, World
from semguide_emoji.scenes.scene import GRID

#: Share of a further object's side that the edge may cut off, and share of an object that a further one may cover.
CUT_OFF, COVERED = 0.4, 0.5
#: Chance of one more object, and of the next after it; how many there may be.
CHANCE, MOST = 0.5, 3


def crowded(scene: Scene, world: World, rng: np.random.Generator) -> Scene:
    """Add up to three objects to a scene, half of them copies of what is there, half of them close to it.

    Args:
        scene: A scene with at least one object.
        world: What other objects are drawn from.
        rng: Decides.

    Returns:
        The scene with further objects on top, in most cases none or one.
    """
    objects = list(scene.objects)
    while len(objects) < len(scene.objects) + MOST and rng.random() < CHANCE:
        objects.append(_intruder(objects, world, rng))
    return replace(scene, objects=tuple(objects))


def _intruder(objects: list[SceneObject], world: World, rng: np.random.Generator) -> SceneObject:
    """One more object that leaves half of every other one to be seen."""
    while True:
        near = objects[int(rng.integers(len(objects)))]
        thing = near if rng.random() < 0.5 else world.scene(rng).objects[0]
        low, high = -CUT_OFF * thing.size, GRID - (1 - CUT_OFF) * thing.size
        if rng.random() < 0.5:
            x, y = rng.uniform(low, high, 2)
        else:
            x, y = np.clip(rng.uniform(-1, 1, 2) * near.size + (near.x, near.y), low, high)
        intruder = replace(thing, x=float(x), y=float(y), worn_by=None)
        if all(_covered(other, intruder) <= COVERED for other in objects):
            return intruder


def _covered(thing: SceneObject, by: SceneObject) -> float:
    """Share of a box that another covers."""
    width = min(thing.x + thing.size, by.x + by.size) - max(thing.x, by.x)
    height = min(thing.y + thing.size, by.y + by.size) - max(thing.y, by.y)
    return max(0.0, width) * max(0.0, height) / thing.size**2
