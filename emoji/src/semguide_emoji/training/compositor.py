"""Scenes composed on the training device from an atlas of ready sprites."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semguide.errors import InvalidArgument
from semguide_emoji.scenes import BACKGROUNDS, Scene, World, render
from semguide_emoji.scenes.render import box
from semguide_emoji.scenes.scene import GRID, SIZES, SceneObject
from semguide_emoji.scenes.sprites import SMALLEST, sprite
from semguide_emoji.scenes.vocabulary import NOUNS, WORN

Key = tuple[str, str | None, int]  # noun, colour, side in pixels


class Compositor:
    """Draws scenes as `scenes.render` does, thousands a second on an accelerator.

    Every sprite that a world can show lies ready in one tensor of premultiplied RGBA pixels, in half precision; a
    picture is its background, then one gather and one blend for each of its objects.

    Args:
        world: Whose scenes are to be drawn.
        size: Side of the pictures, pixels.
        device: Where they are composed.
    """

    def __init__(self, world: World, size: int, device: str) -> None:
        self.size, self.device = size, device
        self._places: dict[Key, int] = {}
        tiles = [np.zeros((1, 4), dtype=np.float32)]  # entry 0 is transparent
        count = 1
        for key in _keys(world, size):
            self._places[key] = count
            tiles.append(sprite(*key).reshape(-1, 4))
            count += len(tiles[-1])
        self._tiles = torch.from_numpy(np.concatenate(tiles).astype(np.float16)).to(device)
        self._grounds = {ground: i for i, ground in enumerate(product(BACKGROUNDS, (False, True)))}
        columns = [render(Scene((), *ground), size)[:, :1] for ground in self._grounds]
        self._columns = torch.from_numpy(np.stack(columns)).to(device)  # (background, row, 1, channel)

    def __call__(self, scenes: list[Scene], size: int) -> Tensor:
        """Draw scenes: (count, 3, size, size) in [-1, 1] on the device, channels last in memory.

        Raises:
            InvalidArgument: Another size than the atlas is made for, or an object that it lacks.
        """
        if size != self.size:
            raise InvalidArgument("size", f"must be {self.size}, for which the atlas is made", size)
        grounds = torch.tensor([self._grounds[scene.background, scene.soft] for scene in scenes])
        layout = self._moved(torch.from_numpy(self._layout(scenes)))
        canvas = self._columns[self._moved(grounds)].expand(-1, -1, size, -1)
        at = torch.arange(size, device=self.device)
        for offset, side, left, top in (slot[:, :, None, None].unbind(dim=1) for slot in layout.unbind(dim=1)):
            x, y = at[None, None, :] - left, at[None, :, None] - top
            inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
            tile = self._tiles[torch.where(inside, offset + y * side + x, 0)].float()
            canvas = canvas * (1.0 - tile[..., 3:]) + tile[..., :3]
        return (canvas.clamp(0.0, 1.0) * 2.0 - 1.0).permute(0, 3, 1, 2)

    def _layout(self, scenes: list[Scene]) -> NDArray[np.int64]:
        """Place in the atlas, side, left and top of every object: (scene, object, 4), zeros where there is none."""
        layout = np.zeros((len(scenes), max(len(scene.objects) for scene in scenes), 4), dtype=np.int64)
        for row, scene in zip(layout, scenes, strict=True):
            for slot, thing in zip(row, scene.objects, strict=False):
                left, top, side = box(thing, self.size)
                slot[:] = self._place(thing, side), side, left, top
        return layout

    def _place(self, thing: SceneObject, side: int) -> int:
        key = (thing.noun, thing.colour, side)
        if key not in self._places:
            raise InvalidArgument("scenes", "must be of the world the atlas is made for", thing)
        return self._places[key]

    def _moved(self, values: Tensor) -> Tensor:
        """Copy to the device without waiting for what it still has to do."""
        return (values.pin_memory() if self.device.startswith("cuda") else values).to(self.device, non_blocking=True)


def _keys(world: World, size: int) -> list[Key]:
    """Every sprite that scenes of a world can show; "small" boxes stand in where no other size fits."""
    sizes = [SIZES[name] for name in dict.fromkeys((*world.sizes, "small"))]
    animals = any(NOUNS[noun].category == "animal" for noun in world.nouns)
    keys: dict[Key, None] = {}
    for noun in world.nouns:
        worn = [size_ * WORN[noun][1] for size_ in sizes] if noun in WORN and animals else []
        sides = [max(SMALLEST, round(size_ * size / GRID)) for size_ in (*sizes, *worn)]
        keys |= dict.fromkeys(product((noun,), (*world.colours, None), sides))
    return list(keys)
