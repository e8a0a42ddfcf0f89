"""Evaluates the denoiser: the pipeline's own call, and the concepts beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import (
    Conditioning,
    DenoiserCall,
    joined,
    prediction_of,
    shape_of,
    with_prediction,
)
from semguide.adapters.pipelines.families.spec import BatchLayout
from semguide.adapters.pipelines.patching import Forward
from semguide.adapters.pipelines.text_encoding import PromptConditioning


@dataclass(frozen=True)
class ImagePlan:
    """What to look at for one image.

    Attributes:
        concepts: The concept texts; none for plain classifier-free guidance.
        conditioning: Denoiser arguments of each concept, one row each; empty without concepts.
        prompt: The conditioning of its prompt alone, None where the pipeline's own is used for all images.
        negative: The conditioning of its negative prompt, where the pipeline makes no unconditional prediction.
    """

    concepts: tuple[str, ...]
    conditioning: tuple[Conditioning, ...] = ()
    prompt: PromptConditioning | None = None
    negative: Conditioning | None = None


class Evaluator:
    """Evaluates the denoiser for some images.

    Args:
        images: What to look at.
        layout: Where the rows of a call are.
        apart: Whether the pipeline's own call is made image by image.
        one_call: Whether the concepts of all images go into one call where their shapes allow it.
    """

    def __init__(self, images: Sequence[ImagePlan], layout: BatchLayout, *, apart: bool, one_call: bool) -> None:
        self._images = images
        self._layout = layout
        self._apart = apart
        self._one_call = one_call

    def host(self, forward: Forward, call: DenoiserCall, branches: Sequence[str]) -> object:
        """Return what the denoiser makes of the pipeline's call.

        Args:
            forward: The denoiser's forward.
            call: The call, with the rows of all images for each branch.
            branches: "cond", "uncond" or both, in the order of the rows.
        """
        count = len(self._images)
        if not self._apart:
            return self._together(call, branches).evaluate(forward)
        outputs = [
            self._alone(call.at([i + j * count for j in range(len(branches))]), image, branches).evaluate(forward)
            for i, image in enumerate(self._images)
        ]
        rows = [prediction_of(output) for output in outputs]
        ordered = [row[j : j + 1] for j in range(len(branches)) for row in rows]
        return with_prediction(outputs[0], torch.cat(ordered))

    def concepts(self, forward: Forward, call: DenoiserCall, wanted: Sequence[int]) -> Mapping[int, Tensor]:
        """Return e(c_k) of each wanted image: (concept, *dims); e(0) comes first where the pipeline makes none.

        Args:
            forward: The denoiser's forward.
            call: The call with the rows of the prompts, one per image.
            wanted: Images.
        """
        jobs = {i: [(i, conditioning) for conditioning in self._asked(i)] for i in wanted}
        if not self._one_call:
            return {i: self._evaluate(forward, call, job) for i, job in jobs.items()}
        if not wanted:
            return {}
        together = self._evaluate(forward, call, [pair for job in jobs.values() for pair in job])
        return dict(zip(wanted, together.split([len(job) for job in jobs.values()]), strict=True))

    def _asked(self, image: int) -> tuple[Conditioning, ...]:
        plan = self._images[image]
        return plan.conditioning if plan.negative is None else (plan.negative, *plan.conditioning)

    def _together(self, call: DenoiserCall, branches: Sequence[str]) -> DenoiserCall:
        prompts = [image.prompt for image in self._images if image.prompt is not None]
        if len(prompts) < len(self._images):
            return call
        parts = [getattr(prompt, branch) for branch in branches for prompt in prompts]
        return call.conditioned(joined(parts, self._layout))

    def _alone(self, call: DenoiserCall, image: ImagePlan, branches: Sequence[str]) -> DenoiserCall:
        if image.prompt is None:
            return call
        return call.conditioned(joined([getattr(image.prompt, branch) for branch in branches], self._layout))

    def _evaluate(self, forward: Forward, call: DenoiserCall, jobs: Sequence[tuple[int, Conditioning]]) -> Tensor:
        """Return the predictions for (row, conditioning) pairs; in one call if these have one shape."""
        parts = [conditioning for _, conditioning in jobs]
        if len({shape_of(part) for part in parts}) > 1:
            return torch.cat([self._evaluate(forward, call, [job]) for job in jobs])
        chosen = call.at([row for row, _ in jobs]).conditioned(joined(parts, self._layout))
        return prediction_of(chosen.evaluate(forward))
