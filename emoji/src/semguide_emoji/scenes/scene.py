"""A scene as a value: what is where, in which colour. Rendering, captions and labels are functions of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from semguide.errors import InvalidArgument
from semguide.types import Position
from semguide_emoji.scenes.vocabulary import (
    ATTEND_AND_EXCITE_ANIMALS,
    ATTEND_AND_EXCITE_OBJECTS,
    BACKGROUNDS,
    COLOURS,
    NOUNS,
    WORN,
)

#: Side of an object's box as a fraction of the canvas; in sixteenths.
SIZES: dict[str, int] = {"small": 6, "medium": 8, "large": 10}
GRID = 16


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One drawn thing.

    Attributes:
        noun: A name of `NOUNS`.
        colour: A name of `COLOURS`, or None for the natural colours.
        x: Left edge of its square box, in sixteenths of the canvas.
        y: Top edge, in sixteenths of the canvas, downwards.
        size: Side of the box, in sixteenths of the canvas.
        worn_by: Index in the scene of the animal that wears it, or None.
    """

    noun: str
    colour: str | None
    x: float
    y: float
    size: float
    worn_by: int | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the box, in sixteenths of the canvas: (x, y)."""
        return self.x + self.size / 2, self.y + self.size / 2


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects on a background, painted in order.

    Attributes:
        objects: The drawn things; a worn one comes after its wearer.
        background: A name of `BACKGROUNDS`.
        soft: Whether the background shades from top to bottom.
    """

    objects: tuple[SceneObject, ...]
    background: str
    soft: bool = False


@dataclass(frozen=True)
class World:
    """What scenes are drawn from.

    Attributes:
        nouns: Names of `NOUNS` that may occur.
        colours: Names of `COLOURS` that may occur.
        object_weights: Relative frequency of scenes with 1, 2, 3 and 4 objects, each >= 0.
        natural: Share of objects left in their natural colours, 0 to 1.
        worn: Share of scenes with an animal in which it wears something, 0 to 1.
        repeated: Share of scenes of several objects that hold several of one thing, 0 to 1.
        skew: How strongly nouns prefer some colours, 0 (uniform) to 1.
        step: Distance between possible box edges, in sixteenths of the canvas: 1 or 2.
        sizes: Names of `SIZES` that may occur; where none of them fits that many objects, they are small.

    Raises:
        InvalidArgument: A value is out of its range, or a name is not in the vocabulary.
    """

    nouns: tuple[str, ...] = tuple(NOUNS)
    colours: tuple[str, ...] = tuple(COLOURS)
    object_weights: tuple[float, ...] = (0.45, 0.35, 0.12, 0.08)
    natural: float = 0.25
    worn: float = 0.15
    repeated: float = 0.1
    skew: float = 0.5
    step: int = 1
    sizes: tuple[str, ...] = tuple(SIZES)
    _favourites: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for name in ("natural", "worn", "repeated", "skew"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidArgument(name, "must be between 0 (never) and 1 (always)", getattr(self, name))
        if self.step not in (1, 2):
            raise InvalidArgument("step", "must be 1 or 2 sixteenths of the canvas", self.step)
        weights = self.object_weights
        if not 1 <= len(weights) <= 4 or min(weights) < 0 or not 0 < sum(weights) < float("inf"):
            rule = "must be 1 to 4 numbers of at least 0, not all 0 (scenes with 1, 2, ... objects)"
            raise InvalidArgument("object_weights", rule, weights)
        vocabulary = (("nouns", self.nouns, NOUNS), ("colours", self.colours, COLOURS), ("sizes", self.sizes, SIZES))
        for kind, names, known in vocabulary:
            unknown = sorted(set(names) - set(known))
            if unknown or not names:
                raise InvalidArgument(kind, f"must be names of the vocabulary ({', '.join(known)})", unknown)
        favourites = np.random.default_rng(0).choice(self.colours, len(self.nouns))
        self._favourites.update(zip(self.nouns, favourites.tolist(), strict=True))

    def scene(self, rng: np.random.Generator) -> Scene:
        """Draw one scene; the same generator state gives the same scene."""
        weights = np.asarray(self.object_weights) / sum(self.object_weights)
        count = 1 + int(rng.choice(len(weights), p=weights))
        objects = _place(rng, self._things(rng, count), self.step, self.sizes)
        if rng.random() < self.worn:
            objects += self._dress(rng, objects)
        return self._behind(rng, objects)

    def scene_of(self, rng: np.random.Generator, things: list[tuple[str, str | None]]) -> Scene:
        """Draw a scene of given things.

        Args:
            rng: Decides places, sizes and background.
            things: Noun and colour of each, 1 to 4; None for the natural colours.

        Returns:
            A scene of exactly these objects, in this order.
        """
        return self._behind(rng, _place(rng, things, self.step, self.sizes))

    def _behind(self, rng: np.random.Generator, objects: list[SceneObject]) -> Scene:
        """Put objects on a background on which they can be seen."""
        used = {thing.colour for thing in objects}
        names = [name for name in BACKGROUNDS if not (name == "slate" and used & {"black", "gray"})]
        return Scene(tuple(objects), names[int(rng.integers(len(names)))], bool(rng.random() < 0.3))

    def _things(self, rng: np.random.Generator, count: int) -> list[tuple[str, str | None]]:
        if count > 1 and rng.random() < self.repeated:
            return [(str(rng.choice(self.nouns)), self._colour(rng, None))] * count
        nouns = [str(noun) for noun in rng.choice(self.nouns, count, replace=count > len(self.nouns))]
        return [(noun, self._colour(rng, noun)) for noun in nouns]

    def _colour(self, rng: np.random.Generator, noun: str | None) -> str | None:
        if rng.random() < self.natural:
            return None
        if noun is not None and rng.random() < 0.4 * self.skew:
            return self._favourites[noun]
        return str(rng.choice(self.colours))

    def _dress(self, rng: np.random.Generator, objects: list[SceneObject]) -> list[SceneObject]:
        wearers = [i for i, thing in enumerate(objects) if NOUNS[thing.noun].category == "animal"]
        clothes = [name for name in WORN if name in self.nouns]
        if not wearers or not clothes:
            return []
        wearer = int(rng.choice(wearers))
        return [wear(objects[wearer], wearer, str(rng.choice(clothes)), self._colour(rng, None))]


#: The world of the first embedded checkpoint: the 24 Attend-and-Excite nouns in all colours, boxes on a coarse grid.
SMALL_WORLD = World(nouns=(*ATTEND_AND_EXCITE_ANIMALS, *ATTEND_AND_EXCITE_OBJECTS), step=2)


def wear(wearer: SceneObject, index: int, noun: str, colour: str | None) -> SceneObject:
    """Put something of `WORN` on an animal.

    Args:
        wearer: The animal.
        index: Its index in the scene.
        noun: A name of `WORN`: "crown", "bow" or "glasses".
        colour: A name of `COLOURS`, or None.

    Raises:
        InvalidArgument: The noun is nothing to wear.
    """
    if noun not in WORN:
        raise InvalidArgument("noun", f"must be one of {', '.join(WORN)} to be worn", noun)
    height, safe_divide = WORN[noun]
    size = wearer.size * safe_divide
    x = wearer.x + (wearer.size - size) / 2
    return SceneObject(noun, colour, x, wearer.y + height * wearer.size - size / 2, size, index)


def _place(
    rng: np.random.Generator, things: list[tuple[str, str | None]], step: int, sizes: tuple[str, ...]
) -> list[SceneObject]:
    """Boxes that do not overlap, on the grid: the more objects, the smaller."""
    fitting = {1: ("medium", "large"), 2: ("small", "medium")}.get(len(things), ("small",))
    choices = [size for size in fitting if size in sizes] or ["small"]
    while True:
        sides = [SIZES[choices[int(rng.integers(len(choices)))]] for _ in things]
        boxes: list[tuple[int, int, int]] = []
        for size in sides:
            free = [
                (x, y, size)
                for x in range(0, GRID - size + 1, step)
                for y in range(0, GRID - size + 1, step)
                if not any(x < bx + bs and bx < x + size and y < by + bs and by < y + size for bx, by, bs in boxes)
            ]
            if not free:
                break
            boxes.append(free[int(rng.integers(len(free)))])
        if len(boxes) == len(things):
            return [SceneObject(*thing, *box) for thing, box in zip(things, boxes, strict=True)]


def relation(a: SceneObject, b: SceneObject) -> Position:
    """Where `a` lies as seen from `b`, along the axis on which their centres differ more."""
    dx, dy = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    if abs(dx) >= abs(dy):
        return "left" if dx < 0 else "right"
    return "above" if dy < 0 else "below"
