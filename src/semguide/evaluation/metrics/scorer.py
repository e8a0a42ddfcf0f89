"""Score images with a CLIP or a model that answers questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from semguide.evaluation.clip_scorers import ImageText
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.metrics.features import pack
from semguide.evaluation.metrics.vqa import Answerer, blip_vqa, question_scores, vqa_score
from semguide.evaluation.suites import SuitePrompt, rendered

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = (
    "clip_similarity",
    "clip_weakest",
    "clip_feature",
    "rendered_feature",
    "vqa_score",
    "blip_vqa",
    "questions_mean",
    "questions_product",
)
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scorers:
    """Folders of the models that score images, "" for none.

    Attributes:
        clip: A CLIPModel, or a CLIP of an installed package.
        vqa: A BlipForQuestionAnswering for VQAScore and the questions of a suite.
        blip_vqa: The same for BLIP-VQA.
    """

    clip: str = ""
    vqa: str = ""
    blip_vqa: str = ""


class Scorer:
    """Scores images.

    Args:
        scorers: The models.
        device: torch device.
    """

    def __init__(self, scorers: Scorers, device: str) -> None:
        self._clip = load_clip(Path(scorers.clip), device) if scorers.clip else None
        answerers = {path: Answerer(Path(path), device) for path in {scorers.vqa, scorers.blip_vqa} if path}
        self._vqa, self._blip_vqa = (answerers.get(path) for path in (scorers.vqa, scorers.blip_vqa))
        self._texts: dict[tuple[str, ...], Tensor] = {}

    def columns(self, prompt: SuitePrompt, seed: int, image: Image) -> dict[str, Any]:
        """Score one image.

        Args:
            prompt: What was asked for.
            seed: Of the image, and so of the scene that is drawn for comparison.
            image: The picture.

        Returns:
            A value for each of `COLUMNS`; None where its model is not there, or nothing can be asked or drawn.
        """
        phrases = [concept.text for concept in prompt.concepts]
        return {
            **self._similar(prompt, seed, image, phrases),
            "vqa_score": round(vqa_score(self._vqa, image, prompt.text), _DIGITS) if self._vqa else None,
            "blip_vqa": round(blip_vqa(self._blip_vqa, image, phrases), _DIGITS)
            if self._blip_vqa and phrases
            else None,
            **self._answered(prompt, image),
        }

    def _answered(self, prompt: SuitePrompt, image: Image) -> dict[str, float | None]:
        """Return the arithmetic and the geometric mean of the scores of the suite's own questions."""
        if self._vqa is None or not prompt.questions:
            return {"questions_mean": None, "questions_product": None}
        scores = question_scores(self._vqa, image, prompt.questions)
        product = math.prod(scores) ** (1 / len(scores))
        return {
            "questions_mean": round(sum(scores) / len(scores), _DIGITS),
            "questions_product": round(product, _DIGITS),
        }

    def _similar(self, prompt: SuitePrompt, seed: int, image: Image, phrases: Sequence[str]) -> dict[str, Any]:
        if self._clip is None:
            return dict.fromkeys(("clip_similarity", "clip_weakest", "clip_feature", "rendered_feature"))
        feature = self._clip.image(image)
        whole, *parts = (float(cosine) for cosine in self._embedded(self._clip, (prompt.text, *phrases)) @ feature)
        drawn = rendered(prompt, seed, image.width)
        return {
            "clip_similarity": round(whole, _DIGITS),
            "clip_weakest": round(min(parts), _DIGITS) if parts else None,
            "clip_feature": pack(feature.numpy()),
            "rendered_feature": None if drawn is None else pack(self._clip.image(drawn).numpy()),
        }

    def _embedded(self, clip: ImageText, texts: tuple[str, ...]) -> Tensor:
        if texts not in self._texts:
            self._texts[texts] = clip.texts(texts)
        return self._texts[texts]
