"""Scene -> English, as tidy or as noisy as captions on the web."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semguide.errors import InvalidArgument
from semguide_emoji.scenes.scene import Scene, SceneObject, relation
from semguide_emoji.scenes.vocabulary import NOUNS

_NUMBERS = ("", "one", "two", "three", "four")
_PREFIXES = ("a photo of ", "a picture of ", "an image of ", "an illustration of ")
_PHRASES = {
    "left": ("to the left of", "on the left of", "left of"),
    "right": ("to the right of", "on the right of", "right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
_VAGUE = ("next to", "beside", "near")


@dataclass(frozen=True)
class CaptionNoise:
    """How captions fall short of the picture, as shares between 0 and 1.

    Attributes:
        drop_object: An object goes unmentioned (never the only one).
        drop_colour: A colour goes unmentioned.
        drop_relation: A position is said vaguely or not at all.
        prefix: The caption opens with "a photo of" or the like.
        article: "a" stands where "an" belongs, or no article at all.
    """

    drop_object: float = 0.08
    drop_colour: float = 0.12
    drop_relation: float = 0.7
    prefix: float = 0.25
    article: float = 0.25

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 <= value <= 1.0:
                raise InvalidArgument(name, "must be between 0 (never) and 1 (always)", value)


#: Captions that say everything.
TIDY = CaptionNoise(0.0, 0.0, 0.0, 0.0, 0.0)


def noun_phrase(noun: str, colour: str | None, count: int = 1, article: bool = True) -> str:
    """Say a noun with its colour and number: "a red car", "an orange apple", "three mice".

    Args:
        noun: A name of `NOUNS`.
        colour: Named if not None.
        count: 1 to 4.
        article: Whether a single object gets "a" or "an".

    Raises:
        InvalidArgument: The noun is not one of the world's, or the count is not from 1 to 4.
    """
    if noun not in NOUNS:
        raise InvalidArgument("noun", f"must be one of {', '.join(NOUNS)}", noun)
    if not 1 <= count < len(_NUMBERS):
        raise InvalidArgument("count", f"must be from 1 to {len(_NUMBERS) - 1}", count)
    words = [colour] if colour else []
    words.append(noun if count == 1 else NOUNS[noun].plural)
    if count > 1:
        return " ".join([_NUMBERS[count], *words])
    if not article:
        return " ".join(words)
    return " ".join(["an" if words[0][0] in "aeiou" else "a", *words])


def caption(scene: Scene, rng: np.random.Generator, noise: CaptionNoise = TIDY) -> str:
    """Say what a scene shows.

    Args:
        scene: The scene.
        rng: Chooses between wordings, and what is left out.
        noise: How much is left out; `TIDY` leaves out nothing.

    Returns:
        One English phrase, lower case, without a full stop.
    """
    standing = [thing for thing in scene.objects if thing.worn_by is None]
    text = _several(scene, standing, rng, noise) if len(standing) > 1 else _phrase(scene, 0, rng, noise)
    prefix = _PREFIXES[int(rng.integers(len(_PREFIXES)))] if rng.random() < noise.prefix else ""
    return prefix + text


def _several(scene: Scene, standing: list[SceneObject], rng: np.random.Generator, noise: CaptionNoise) -> str:
    if len({(thing.noun, thing.colour) for thing in standing}) == 1:
        colour = None if rng.random() < noise.drop_colour else standing[0].colour
        return noun_phrase(standing[0].noun, colour, len(standing))
    kept = [thing for thing in standing if rng.random() >= noise.drop_object] or standing[:1]
    order = [kept[int(i)] for i in rng.permutation(len(kept))]
    phrases = [_phrase(scene, scene.objects.index(thing), rng, noise) for thing in order]
    if len(order) == 2:
        return _pair(order, phrases, rng, noise)
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + " and " + phrases[-1]


def _pair(order: list[SceneObject], phrases: list[str], rng: np.random.Generator, noise: CaptionNoise) -> str:
    if rng.random() < noise.drop_relation:
        link = "and" if rng.random() < 0.8 else _VAGUE[int(rng.integers(len(_VAGUE)))]
    else:
        options = _PHRASES[relation(*order)]
        link = options[int(rng.integers(len(options)))]
    return f"{phrases[0]} {link} {phrases[1]}"


def _phrase(scene: Scene, index: int, rng: np.random.Generator, noise: CaptionNoise) -> str:
    thing = scene.objects[index]
    text = _one(thing, rng, noise)
    for worn in scene.objects:
        if worn.worn_by == index and rng.random() >= noise.drop_object:
            text += (" wearing " if rng.random() < 0.5 else " with ") + _one(worn, rng, noise)
    return text


def _one(thing: SceneObject, rng: np.random.Generator, noise: CaptionNoise) -> str:
    colour = None if rng.random() < noise.drop_colour else thing.colour
    phrase = noun_phrase(thing.noun, colour)
    if rng.random() < noise.article:
        bare = noun_phrase(thing.noun, colour, article=False)
        return f"a {bare}" if rng.random() < 0.7 else bare
    return phrase
