"""The emoji world: scenes with exact ground truth, their pictures and their captions."""

from semguide_emoji.scenes.captions import TIDY, CaptionNoise, caption, noun_phrase
from semguide_emoji.scenes.render import render
from semguide_emoji.scenes.scene import SMALL_WORLD, Scene, SceneObject, World, relation, wear
from semguide_emoji.scenes.vocabulary import BACKGROUNDS, COLOURS, NOUNS

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "NOUNS",
    "SMALL_WORLD",
    "TIDY",
    "CaptionNoise",
    "Scene",
    "SceneObject",
    "World",
    "caption",
    "noun_phrase",
    "relation",
    "render",
    "wear",
]
