"""What is in a picture of the emoji world, and whether it is what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from semguide.evaluation.judging import Detection
from semguide.evaluation.suites import SuitePrompt
from semguide.types import Concept
from semguide_emoji.judge import COLOUR_CLASSES, Judge
from semguide_emoji.scenes.vocabulary import NATURAL_COLOURS, asked_colour

SAME = 0.6
"""Boxes that overlap more, as intersection over union, are one object; glasses overlap their wearer's face less."""


@torch.no_grad()
def find(judge: Judge, pictures: Tensor, threshold: float = 0.4) -> list[list[Detection]]:
    """Find the objects of each picture.

    Args:
        judge: The detector.
        pictures: (batch, 3, height, width) in [-1, 1].
        threshold: Least confidence, 0 to 1.

    Returns:
        Per picture its findings, the most confident first; of two in the same place (`SAME`) only the more confident
        one.
    """
    centres, colours, side = judge(pictures)
    heat = centres.sigmoid()
    peaks = heat * (heat == F.max_pool2d(heat, 3, 1, 1)) * (heat >= threshold)
    return [_findings(judge, peaks[i], colours[i], side[i]) for i in range(len(pictures))]


def _findings(judge: Judge, peaks: Tensor, colours: Tensor, side: Tensor) -> list[Detection]:
    cells = peaks.shape[-1]
    found: list[Detection] = []
    places = [(int(noun), int(y), int(x)) for noun, y, x in peaks.nonzero()]
    for noun, y, x in sorted(places, key=lambda place: -float(peaks[place])):
        name = judge.config.nouns[noun]
        seen = COLOUR_CLASSES[int(colours[:, y, x].argmax())]
        natural = seen == "natural"
        finding = Detection(
            noun=name,
            colour=NATURAL_COLOURS.get(name, seen) if natural else seen,
            natural=natural,
            x=(x + 0.5) / cells,
            y=(y + 0.5) / cells,
            side=float(side[y, x]),
            confidence=float(peaks[noun, y, x]),
        )
        if not any(_same_place(finding, other) for other in found):
            found.append(finding)
    return found


def _same_place(a: Detection, b: Detection) -> bool:
    width = (a.side + b.side) / 2 - abs(a.x - b.x)  # of the overlap, as long as neither box holds the other
    height = (a.side + b.side) / 2 - abs(a.y - b.y)
    least = min(a.side, b.side)
    both = min(max(0.0, width), least) * min(max(0.0, height), least)
    return both > SAME * (a.side**2 + b.side**2 - both)


def judged(findings: Sequence[Detection], concepts: Sequence[Concept]) -> list[bool]:
    """Judge a picture concept by concept.

    A concept is right when an object of its noun, in its colour if it names one, is there, as many as it counts; an
    object answers for one concept only, the ones with a colour first.

    Args:
        findings: What is in the picture.
        concepts: What was asked for; heads must be nouns of the world.

    Returns:
        Per concept whether it is right.
    """
    free = list(findings)
    right = [False] * len(concepts)
    for index in sorted(range(len(concepts)), key=lambda i: asked_colour(concepts[i]) is None):
        concept = concepts[index]
        colour, count = asked_colour(concept), concept.count or 1
        matching = [f for f in free if f.noun == concept.head and colour in (None, f.colour)]
        right[index] = len(matching) >= count
        for finding in matching[:count]:
            free.remove(finding)
    return right


def findings(judge: Judge, images: NDArray[np.uint8], batch_size: int = 64) -> list[list[Detection]]:
    """Find the objects of each picture.

    Args:
        judge: The detector.
        images: (images, height, width, 3) of the size that it was trained on.
        batch_size: Images at a time, >= 1.
    """
    pixels: torch.Tensor = torch.as_tensor(images).permute(0, 3, 1, 2)
    batches = [pixels[first : first + batch_size] for first in range(0, len(pixels), batch_size)]
    return [found for batch in batches for found in find(judge, batch.float() / 127.5 - 1)]


def verdicts(found: Sequence[list[Detection]], prompts: Sequence[SuitePrompt]) -> list[list[bool]]:
    """Say of each picture which of its concepts are right.

    Args:
        found: What is in each picture, in the order of `ImageBatch.images`.
        prompts: The prompts; each has equally many pictures.
    """
    seeds = len(found) // len(prompts)
    return [judged(things, prompts[index // seeds].concepts) for index, things in enumerate(found)]
