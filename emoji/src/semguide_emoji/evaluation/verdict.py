"""A picture against its prompt: every concept, how many of it, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from semguide.evaluation.judging import Detection, Verdict
from semguide.evaluation.suites import SuitePrompt
from semguide.types import Concept
from semguide_emoji.evaluation.detections import find, judged
from semguide_emoji.judge import Judge
from semguide_emoji.scenes import COLOURS, SceneObject, relation
from semguide_emoji.scenes.vocabulary import asked_colour

if TYPE_CHECKING:
    from PIL.Image import Image


def judgeable(prompt: SuitePrompt, judge: Judge) -> bool:
    """Say whether the judge knows every noun that a prompt asks for, and every attribute is one of its colours."""
    known = set(judge.config.nouns)
    return bool(prompt.concepts) and all(
        concept.head in known and set(concept.attributes) <= set(COLOURS) for concept in prompt.concepts
    )


def look(judge: Judge, image: Image) -> list[Detection]:
    """Find the objects of a picture, at the size that the judge was trained on.

    Args:
        judge: The detector.
        image: A picture of any size.
    """
    pixels = torch.tensor(np.array(image.convert("RGB"), dtype=np.float32))
    picture = (pixels.permute(2, 0, 1) / 127.5 - 1)[None]
    size = judge.config.size
    if picture.shape[-2:] != (size, size):
        picture = F.interpolate(picture, (size, size), mode="bilinear", antialias=True)
    return find(judge, picture)[0]


def rule_on(prompt: SuitePrompt, findings: Sequence[Detection]) -> Verdict:
    """Judge what is in a picture against what the prompt asks for.

    Args:
        prompt: A prompt of nouns that the judge knows.
        findings: What is in the picture.
    """
    counts = tuple(len(_matching(findings, concept)) for concept in prompt.concepts)
    right = judged(findings, prompt.concepts)
    if prompt.exact:
        wanted = [concept.count or 1 for concept in prompt.concepts]
        right = [ok and count == asked for ok, count, asked in zip(right, counts, wanted, strict=True)]
    return Verdict(tuple(right), counts, _position_right(prompt, findings))


def _matching(findings: Sequence[Detection], concept: Concept) -> list[Detection]:
    colour = asked_colour(concept)
    return [f for f in findings if f.noun == concept.head and colour in (None, f.colour)]


def _position_right(prompt: SuitePrompt, findings: Sequence[Detection]) -> bool | None:
    """Whether some object of the first concept lies as asked from some of the second, as scenes' captions mean it."""
    if prompt.position is None:
        return None
    first, second = (_matching(findings, concept) for concept in prompt.concepts[:2])
    return any(_relation(a, b) == prompt.position for a in first for b in second if a is not b)


def _relation(a: Detection, b: Detection) -> str:
    return relation(*(SceneObject(f.noun, None, f.x, f.y, 0.0) for f in (a, b)))


class EmojiJudge:
    """emoji-judge as semguide judges with it.

    Args:
        network: The detector.
    """

    def __init__(self, network: Judge) -> None:
        self.network = network

    def judgeable(self, prompt: SuitePrompt) -> bool:
        """Say whether it knows everything that a prompt asks for."""
        return judgeable(prompt, self.network)

    def look(self, image: Image) -> list[Detection]:
        """Find the objects of a picture of any size."""
        return look(self.network, image)

    def rule_on(self, prompt: SuitePrompt, findings: Sequence[Detection]) -> Verdict:
        """Judge what is in a picture against what the prompt asks for."""
        return rule_on(prompt, findings)
