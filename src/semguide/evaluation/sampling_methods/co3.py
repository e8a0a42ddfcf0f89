"""CO3, whole: new latents at the noise levels of the first steps, before the pipeline's own guided steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from semguide.evaluation.sampling_methods.base import (
    SampledImage,
    SampleFunction,
    SamplingMethod,
    SamplingOptions,
    check_pipeline,
)
from semguide.evaluation.sampling_methods.denoiser import DENOISERS, EpsModel, check_scheduler, eps_model
from semguide.guidance import Predictions
from semguide.guidance.citations import CO3_PAPER
from semguide.guidance.geometry import norm, upcast_half
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import step_evaluations
from semguide.guidance.rules.co3 import closeness_shares
from semguide.guidance.window import Window
from semguide.types import Concept


@dataclass(frozen=True)
class CO3(SamplingMethod):
    """CO3 (arXiv 2509.25940): new latents at early noise levels, away from images that one concept explains.

    It samples p(x | P)^(1 + contrast) / prod_k p(x | c_k)^(contrast a_k), a = softmax(-closeness |e(c_k) - e(P)|).
    Before each of the first guided steps it replaces the latents x, `iterations` times, without changing the noise
    level sigma: first by new noise, composed with the weights 1 and -a_k, which sum to 0 (resampling); later by the
    composed Tweedie mean, with the weights 1 + contrast and -contrast a_k, which sum to 1, and the noise e(0) on it
    (correction). The steps themselves are the pipeline's own, with classifier-free guidance.

    Written from the paper's formulas. That e(0) is the noise put on again, the scale 0.8 and the size of corrected
    latents are as in the authors' code, which besides steps with CFG++ at that scale; the paper has w = 5.

    On flow models, which see pure noise at the first step, the formulas take eps = x + (1 - sigma) v.

    It costs 2 evaluations a step and 2 + K an iteration.
    """

    scale: float = parameter(0.8, "Scale of the guided predictions in the new latents.", low=0.0, high=100.0)
    contrast: float = parameter(1.0, "How strongly the concepts are divided out in corrections.", low=0.0, high=100.0)
    closeness: float = parameter(
        0.8,
        "How much more the concept nearest to the prompt's prediction weighs; 0: all the same.",
        low=0.0,
        high=100.0,
    )
    iterations: int = parameter(5, "New latents before each of these steps.", low=0, high=100, off=0)
    resample: float = parameter(
        0.06,
        "End of the resampled steps, excluded, as a fraction of the steps; published 3 of 50 steps.",
        low=0.0,
        high=1.0,
    )
    stop: float = parameter(0.2, "End of the corrected steps, excluded, as a fraction of the steps.", low=0.0, high=1.0)

    name: ClassVar[str] = "co3"

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines other than Stable Diffusion 1.x, 2.x and 3.

        Raises:
            UnsupportedPipeline: It is another one.
        """
        del sampling
        check_pipeline(self.name, pipeline_class, DENOISERS)

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Get ready to make images.

        Raises:
            UnsupportedPipeline: The pipeline is another one, or the noise in its latents is not known.
        """
        self.check(type(pipe).__name__, sampling)
        check_scheduler(pipe, self.name)
        denoiser = getattr(pipe, DENOISERS[type(pipe).__name__])
        count = sampling.num_inference_steps

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            generator = torch.Generator("cpu").manual_seed(seed)
            shape = (1, denoiser.config.in_channels, sampling.height, sampling.width)
            latents = pipe.prepare_latents(*shape, denoiser.dtype, pipe._execution_device, generator)
            pipe.scheduler.set_timesteps(count, device=pipe._execution_device)
            model = eps_model(pipe, ["", prompt, *(concept.text for concept in concepts)])

            def between(_: Any, step: int, __: Any, given: dict[str, Any]) -> dict[str, Any]:
                """Make new latents before the next step."""
                if concepts and step + 1 < count:
                    given["latents"] = self.new_latents(model, given["latents"], step + 1, count)
                return given

            image = pipe(
                prompt,
                num_inference_steps=count,
                guidance_scale=self.guidance_scale,
                height=sampling.height,
                width=sampling.width,
                latents=self.new_latents(model, latents, 0, count) if concepts else latents,
                generator=generator,
                callback_on_step_end=between,
            ).images[0]
            more = len(pipe.scheduler.timesteps) - count  # a PNDM scheduler evaluates one of the steps twice
            return SampledImage(image, self.evaluations_per_image(count, len(concepts)) + 2 * more)

        return make

    @torch.no_grad()
    def new_latents(self, model: EpsModel, x: Tensor, step: int, count: int) -> Tensor:
        """Return the latents with which a step begins.

        Args:
            model: The denoiser.
            x: The latents as they are, "1 channel height width".
            step: 0-based step.
            count: Number of steps.
        """
        sigma = model.sigma(step)
        for _ in range(self._iterations(step, count)):
            eps = model.eps(x, step)
            predictions = Predictions(eps[0], eps[1], eps[2:])
            share = concept_shares(predictions, self.closeness)
            if Window.fraction(0.0, self.resample, count).contains(step):
                new = resample_latents(predictions, sigma, share, self.scale)
            else:
                new = correct_latents(x[0], predictions, sigma, (self.contrast, share), self.scale)
            x = new.to(x.dtype)[None]
        return x

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step, and 2 + K for each iteration where there are concepts."""
        iterations = sum(self._iterations(step, steps) for step in range(steps)) if concepts else 0
        return steps * step_evaluations(0) + iterations * step_evaluations(concepts)

    def _iterations(self, step: int, count: int) -> int:
        """Return how often new latents are made before a step."""
        last = max(self.resample, self.stop)
        return self.iterations if Window.fraction(0.0, last, count).contains(step) else 0

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CO3."""
        return CO3_PAPER


def concept_shares(predictions: Predictions, closeness: float) -> Tensor:
    """Return the share a_k of each concept, which sum to 1.

    Args:
        predictions: In eps.
        closeness: How much more the concept nearest to the prompt's prediction weighs, >= 0.
    """
    prompt = upcast_half(predictions.cond)
    distance = torch.stack([norm(upcast_half(concept) - prompt) for concept in predictions.concepts])
    return closeness_shares(distance, closeness)


def resample_latents(predictions: Predictions, sigma: Tensor, share: Tensor, scale: float) -> Tensor:
    """Return sigma (e(0) - scale (e(P) - sum_k a_k e(c_k))): new noise, with weights that sum to 0.

    Args:
        predictions: In eps.
        sigma: Weight of the noise in x.
        share: a, one per concept.
        scale: Weight of the composition (0 leaves sigma e(0)).
    """
    contrast = upcast_half(predictions.cond) - _mean(predictions, share)
    return sigma * (upcast_half(predictions.uncond) - scale * contrast)


def correct_latents(
    x: Tensor, predictions: Predictions, sigma: Tensor, weights: tuple[float, Tensor], scale: float
) -> Tensor:
    """Return the composed Tweedie mean with the noise e(0) put on again, in the size of x.

    With the guided predictions e_s(c) = e(0) + scale (e(c) - e(0)) and the means m(c) = x - sigma e_s(c), that is
    M = (1 + contrast) m(P) - contrast sum_k a_k m(c_k); then M max(m(P)) / max(M) + sigma e(0), with the norm of x.

    Args:
        x: The latents.
        predictions: In eps.
        sigma: Weight of the noise in x.
        weights: contrast, and the share a of each concept.
        scale: The scale of the guided predictions (0 leaves x to rounding).
    """
    contrast, share = weights
    uncond = upcast_half(predictions.uncond)
    prompt = x - sigma * (uncond + scale * predictions.prompt_guidance)
    subjects = x - sigma * (uncond + scale * (_mean(predictions, share) - uncond))
    mean = prompt + contrast * (prompt - subjects)
    size = torch.nan_to_num(prompt.max() / mean.max(), nan=1.0)  # of pure noise a flow model has no mean but 0
    moved = mean * size + sigma * uncond
    return moved * (norm(x) / norm(moved))


def _mean(predictions: Predictions, share: Tensor) -> Tensor:
    """Return sum_k a_k e(c_k)."""
    concepts = upcast_half(predictions.concepts)
    return (share.to(concepts).reshape(-1, *[1] * (concepts.ndim - 1)) * concepts).sum(dim=0)
