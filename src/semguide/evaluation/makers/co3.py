"""CO3, whole: new latents at the noise levels of the first steps, before the pipeline's own guided steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from semguide.errors import UnsupportedPipeline
from semguide.evaluation.makers.co3_latents import concept_shares, corrected, resampled
from semguide.evaluation.makers.maker import ImageMaker, Made, MakeOne, Sampling
from semguide.guidance import Predictions
from semguide.guidance.checks import check_number, check_steps
from semguide.guidance.citations import CO3_PAPER
from semguide.guidance.window import Window
from semguide.types import Concept

Predict = Callable[[Tensor, Tensor], Tensor]
"""(x "1 channel height width", timestep) -> eps for the negative prompt, the prompt and each concept, a row each."""


@dataclass(frozen=True)
class CO3(ImageMaker):
    """CO3 (arXiv 2509.25940): new latents at early noise levels, away from images that one concept explains.

    It samples p(x | P)^(1 + contrast) / prod_k p(x | c_k)^(contrast a_k), a = softmax(-closeness |e(c_k) - e(P)|).
    Before each of the first guided steps it replaces the latents x, `iterations` times, without changing the noise
    level sigma: first by new noise, composed with the weights 1 and -a_k, which sum to 0 (resampling); later by the
    composed Tweedie mean, with the weights 1 + contrast and -contrast a_k, which sum to 1, and the noise e(0) on it
    (correction). The steps themselves are the pipeline's own, with classifier-free guidance.

    Written from the paper's formulas. That e(0) is the noise put on again, the scale 0.8 and the size of corrected
    latents are as in the authors' code, which besides steps with CFG++ at that scale; the paper has w = 5.

    It costs 2 evaluations a step and 2 + K an iteration.

    Attributes:
        guidance_scale: w of the steps, >= 1.
        scale: Scale of the guided predictions in the new latents, >= 0.
        contrast: How strongly the concepts are divided out in corrections, >= 0.
        closeness: How much more the concept nearest to the prompt's prediction weighs, >= 0 (0: all the same).
        iterations: New latents before each of these steps, >= 0 (0 turns the method off).
        resample: End of the resampled steps, excluded, as a fraction of the steps, in [0, 1] (published 3 of 50 steps).
        stop: End of the corrected steps, excluded, as a fraction of the steps, in [0, 1].
    """

    scale: float = 0.8
    contrast: float = 1.0
    closeness: float = 0.8
    iterations: int = 5
    resample: float = 0.06
    stop: float = 0.2

    name: ClassVar[str] = "co3"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scale", "contrast", "closeness"):
            check_number(name, getattr(self, name), 0.0)
        check_steps("iterations", self.iterations)
        check_number("resample", self.resample, 0.0, 1.0, note="a fraction of the steps")
        check_number("stop", self.stop, 0.0, 1.0, note="a fraction of the steps")

    def check(self, pipeline_class: str, sampling: Sampling) -> None:
        """Refuse pipelines other than Stable Diffusion.

        Raises:
            UnsupportedPipeline: It is another one.
        """
        del sampling
        if pipeline_class != "StableDiffusionPipeline":
            raise UnsupportedPipeline(f"co3 needs a StableDiffusionPipeline, got {pipeline_class}")

    def bind(self, pipe: Any, sampling: Sampling) -> MakeOne:
        """Get ready to make images.

        Raises:
            UnsupportedPipeline: The pipeline is no Stable Diffusion that predicts eps of x = alpha x0 + sigma eps.
        """
        self.check(type(pipe).__name__, sampling)
        _check_scheduler(pipe.scheduler)

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> Made:
            generator = torch.Generator("cpu").manual_seed(seed)
            predict = _predictor(pipe, ["", prompt, *(concept.text for concept in concepts)])
            latents = pipe.prepare_latents(
                *(1, pipe.unet.config.in_channels, sampling.height, sampling.width),
                *(pipe.unet.dtype, pipe.device, generator),
            )
            pipe.scheduler.set_timesteps(sampling.num_inference_steps, device=pipe.device)
            times = pipe.scheduler.timesteps

            def between(_: Any, step: int, __: Any, given: dict[str, Any]) -> dict[str, Any]:
                """Make new latents before the next step."""
                if step + 1 < len(times) and concepts:
                    given["latents"] = self.new_latents(predict, pipe.scheduler, given["latents"], times, step + 1)
                return given

            if concepts:
                latents = self.new_latents(predict, pipe.scheduler, latents, times, 0)
            image = pipe(
                prompt,
                num_inference_steps=sampling.num_inference_steps,
                guidance_scale=self.guidance_scale,
                height=sampling.height,
                width=sampling.width,
                latents=latents,
                generator=generator,
                callback_on_step_end=between,
            ).images[0]
            return Made(image, self.evaluations_per_image(sampling.num_inference_steps, len(concepts)))

        return make

    @torch.no_grad()
    def new_latents(self, predict: Predict, scheduler: Any, x: Tensor, times: Tensor, step: int) -> Tensor:
        """Return the latents with which a step begins.

        Args:
            predict: The denoiser.
            scheduler: Of x = alpha x0 + sigma eps.
            x: The latents as they are, "1 channel height width".
            times: The timesteps of all steps.
            step: 0-based step.
        """
        again, count = self._iterations(step, len(times)), len(times)
        sigma = (1 - scheduler.alphas_cumprod[times[step].long().cpu()]).sqrt().to(x.device)
        for _ in range(again):
            eps = predict(x, times[step])
            predictions = Predictions(eps[0], eps[1], eps[2:])
            share = concept_shares(predictions, self.closeness)
            if Window.fraction(0.0, self.resample, count).contains(step):
                new = resampled(predictions, sigma, share, self.scale)
            else:
                new = corrected(x[0], predictions, sigma, (self.contrast, share), self.scale)
            x = new.to(x.dtype)[None]
        return x

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step, and 2 + K for each iteration where there are concepts."""
        iterations = sum(self._iterations(step, steps) for step in range(steps)) if concepts else 0
        return 2 * steps + (2 + concepts) * iterations

    def _iterations(self, step: int, count: int) -> int:
        """Return how often new latents are made before a step."""
        last = max(self.resample, self.stop)
        return self.iterations if Window.fraction(0.0, last, count).contains(step) else 0

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CO3."""
        return CO3_PAPER


def _check_scheduler(scheduler: Any) -> None:
    """Check that latents are alpha x0 + sigma eps and predictions eps."""
    kind = scheduler.config.get("prediction_type", None)
    if kind != "epsilon" or not hasattr(scheduler, "alphas_cumprod") or float(scheduler.init_noise_sigma) != 1:
        raise UnsupportedPipeline(
            "co3 needs a scheduler of eps predictions whose noise has variance 1 - alphas_cumprod, such as "
            f"DDIMScheduler, got {type(scheduler).__name__} with prediction_type {kind!r}"
        )


def _predictor(pipe: Any, texts: Sequence[str]) -> Predict:
    with torch.no_grad():
        embeds = torch.cat([pipe.encode_prompt(text, pipe.device, 1, False)[0] for text in texts])

    def predict(x: Tensor, time: Tensor) -> Tensor:
        rows = x.expand(len(embeds), -1, -1, -1)
        return pipe.unet(rows, time, encoder_hidden_states=embeds, return_dict=False)[0]

    return predict
