"""SynGen: modifiers attended to where their noun is, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor

from semguide.evaluation.sampling_methods.attention_losses import syngen_loss
from semguide.evaluation.sampling_methods.attention_maps import PromptTokens, Subject
from semguide.evaluation.sampling_methods.attention_sampler import AttentionSession, Loss, MovingMethod
from semguide.guidance.citations import SYNGEN_PAPER
from semguide.guidance.window import Window


@dataclass(frozen=True)
class SynGen(MovingMethod):
    """SynGen (arXiv 2306.08877): move the latents until modifiers share the attention of their noun alone.

    Before each of the first guided steps z <- z - scale_factor grad L; L is `syngen_loss`: the distance between the
    attention maps of each modifier and its noun, less that of both to all other words.

    It costs 2 evaluations a step, and 3 for each move.
    """

    name: ClassVar[str] = "syngen"

    def loss(self, tokens: PromptTokens, subjects: Sequence[Subject]) -> Loss:
        """Return the loss of the concepts' words against all words of the prompt that are not theirs."""
        of = tokens.of
        words = [[of(span) for span in subject.words] for subject in subjects]
        others = [
            [of(span) for span in tokens.words() if not any(_meet(span, own) for own in subject.words)]
            for subject in subjects
        ]
        return partial(syngen_loss, subjects=words, others=others)

    def move(self, session: AttentionSession, x: Tensor, step: int, count: int) -> Tensor:
        """Return the moved latents."""
        if not Window.fraction(0.0, self.stop, count).contains(step):
            return x
        return session.descend(session.look(x, step), self.scale_factor)

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step, and 3 a move."""
        return 2 * steps + 3 * (Window.fraction(0.0, self.stop, steps).last + 1) * self.acts(concepts)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of SynGen."""
        return SYNGEN_PAPER


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Say whether two spans share a character."""
    return one[0] < other[1] and other[0] < one[1]
