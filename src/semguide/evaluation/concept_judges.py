"""Which concepts of a picture are right: by a detector, by a model that answers questions, or by a CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from semguide.errors import InvalidArgument
from semguide.evaluation.clip_scorers import ImageText
from semguide.evaluation.judging import Judge, load_judge
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.metrics.vqa import Answerer
from semguide.evaluation.suites import SuitePrompt, stable_hash

if TYPE_CHECKING:
    from PIL.Image import Image

OTHERS = 15
"""Concepts of other prompts that a concept is held against by a CLIP: chance is right once in 16 times."""


class ConceptJudge(Protocol):
    """Says which concepts of a prompt a picture shows."""

    def verdict(self, prompt: SuitePrompt, image: Image) -> list[bool] | None:
        """Return whether each concept is right; None where it cannot say."""
        ...


@dataclass(frozen=True)
class DetectorJudge:
    """Asks a detector of objects and colours."""

    judge: Judge

    def verdict(self, prompt: SuitePrompt, image: Image) -> list[bool] | None:
        """Return its verdict; None for a prompt that it does not know."""
        if not self.judge.judgeable(prompt):
            return None
        return list(self.judge.rule_on(prompt, self.judge.look(image)).concepts)


@dataclass(frozen=True)
class QuestionJudge:
    """Asks "CONCEPT?" of each concept, as BLIP-VQA of T2I-CompBench (arXiv 2307.06350): right where yes beats no."""

    answerer: Answerer

    def verdict(self, prompt: SuitePrompt, image: Image) -> list[bool] | None:
        """Return whether the answer is yes; None where it is no number."""
        yes, no = self.answerer.yes(image, [f"{concept.text}?" for concept in prompt.concepts])
        return [bool(right) for right in yes > no] if bool(torch.isfinite(yes + no).all()) else None


@dataclass(frozen=True)
class ClipJudge:
    """Holds each concept against `OTHERS` concepts of other prompts: right where the picture is closer to it.

    Attributes:
        clip: The CLIP.
        concepts: Texts of all concepts that are asked for, at least one that a prompt does not have.
    """

    clip: ImageText
    concepts: tuple[str, ...]
    _texts: dict[tuple[str, ...], Tensor] = field(default_factory=dict[tuple[str, ...], Tensor], init=False)

    def verdict(self, prompt: SuitePrompt, image: Image) -> list[bool] | None:
        """Return whether each concept is closer to the picture than all the others; None where it is no number."""
        texts = tuple(concept.text for concept in prompt.concepts)
        others = self._others(texts)
        cosines = self._embedded(texts + others) @ self.clip.image(image)
        if not bool(torch.isfinite(cosines).all()):
            return None
        return [bool(right) for right in cosines[: len(texts)] > cosines[len(texts) :].max()]

    def _others(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Choose concepts that the prompt does not have, by a hash, always the same."""
        found = sorted(set(self.concepts) - set(texts), key=lambda text: stable_hash(f"{' '.join(texts)} {text}"))
        return tuple(found[:OTHERS])

    def _embedded(self, texts: tuple[str, ...]) -> Tensor:
        if texts not in self._texts:
            self._texts[texts] = self.clip.texts(texts)
        return self._texts[texts]


def check_for_clip(prompts: Sequence[SuitePrompt]) -> None:
    """Check that a CLIP has other concepts to hold each concept against.

    Raises:
        InvalidArgument: There are too few.
    """
    concepts = {concept.text for prompt in prompts for concept in prompt.concepts}
    most = max(len(prompt.concepts) for prompt in prompts)
    if len(concepts) < most + 3:
        rule = "must hold at least 3 more concepts than a prompt, for a CLIP to tell them apart"
        raise InvalidArgument("suite", rule, len(concepts), "give more prompts, or another {judge}")


def load_concept_judge(kind: str, folder: Path, prompts: Sequence[SuitePrompt], device: str) -> ConceptJudge:
    """Load a judge.

    Args:
        kind: "clip", "vqa" or "detector".
        folder: Its files.
        prompts: What will be judged.
        device: torch device.
    """
    if kind == "detector":
        return DetectorJudge(load_judge(folder))
    if kind == "vqa":
        return QuestionJudge(Answerer(folder, device))
    concepts = dict.fromkeys(concept.text for prompt in prompts for concept in prompt.concepts)
    return ClipJudge(load_clip(folder, device), tuple(concepts))
