"""Attend-and-Excite: no noun without a place that attends to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor

from semguide.errors import InvalidArgument
from semguide.evaluation.sampling_methods.attention_losses import attend_excite_loss
from semguide.evaluation.sampling_methods.attention_maps import PromptTokens, Subject
from semguide.evaluation.sampling_methods.attention_sampler import AttentionSession, Look, Loss, MovingMethod
from semguide.guidance.citations import ATTEND_EXCITE_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.window import Window

PUBLISHED = "0:0.05,0.2:0.5,0.4:0.8"
"""The thresholds of the paper, whose steps 0, 10 and 20 are of 50."""
REPETITIONS = 20
"""How often moves are repeated at most."""


@dataclass(frozen=True)
class AttendExcite(MovingMethod):
    """Attend-and-Excite (arXiv 2301.13826): move the latents until each concept's noun holds attention somewhere.

    Before each of the first guided steps the latents z move along the gradient of the worst-attended noun,

        z <- z - step_size grad max_k (1 - max A_k),

    A_k being the smoothed attention to the noun's last token, averaged over the maps of one resolution, and
    step_size = scale_factor sqrt(1 ... 0.5 over the steps); at some steps this repeats, up to 20 times, until every
    max A_k is above a threshold, and once more.

    It costs 2 evaluations a step, 1 for each look at the attention and 2 for each gradient.
    """

    thresholds: str = parameter(
        PUBLISHED,
        "Where moves repeat and until when: fraction of the steps:least attention, with commas between; empty for "
        "nowhere.",
    )

    name: ClassVar[str] = "attend-excite"

    def __post_init__(self) -> None:
        super().__post_init__()
        _read(self.thresholds)

    def loss(self, tokens: PromptTokens, subjects: Sequence[Subject]) -> Loss:
        """Return the loss of the last tokens of the nouns; on joint attention among the tokens that are no padding."""
        nouns = [tokens.of(subject.noun, last=True) for subject in subjects]
        among = tokens.read() if tokens.joint else range(1, tokens.length - 1)
        return partial(attend_excite_loss, nouns=nouns, among=among, shared=tokens.joint)

    def move(self, session: AttentionSession, x: Tensor, step: int, count: int) -> Tensor:
        """Return the moved latents."""
        least = {int(place * count): least for place, least in _read(self.thresholds).items()}.get(step)
        moves = Window.fraction(0.0, self.stop, count).contains(step)
        if least is None and not moves:
            return x
        size = self.scale_factor * math.sqrt(1 - 0.5 * step / max(session.count - 1, 1))
        look = session.look(x, step)
        if least is not None and look.loss > 1 - least:
            look = _repeated(session, look, step, size, 1 - least)
        return session.descend(look, size) if moves else look.x.detach()

    def evaluations_per_image(self, steps: int, concepts: int) -> int | None:
        """Return None: how often moves repeat depends on the image."""
        return None if self.acts(concepts) else 2 * steps

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of Attend-and-Excite."""
        return ATTEND_EXCITE_PAPER


def _repeated(session: AttentionSession, look: Look, step: int, size: float, target: float) -> Look:
    """Move until a move began at or below the target, and look where that ends."""
    for _ in range(REPETITIONS):
        reached = bool(look.loss <= target)
        look = session.look(session.descend(look, size), step)
        if reached:
            break
    return look


def _read(thresholds: str) -> dict[float, float]:
    """Read thresholds: fraction of the steps -> least attention."""
    try:
        pairs = [pair.split(":") for pair in thresholds.split(",")] if thresholds else []
        found = {float(place): float(least) for place, least in pairs}
    except (AttributeError, ValueError):
        found = {-1.0: 0.0}
    if any(not (0 <= place < 1 and 0 <= least < 1) for place, least in found.items()):
        rule = f"must be fractions of the steps in [0, 1) with the least attention in [0, 1), such as {PUBLISHED!r}"
        raise InvalidArgument("thresholds", rule, thresholds)
    return found
