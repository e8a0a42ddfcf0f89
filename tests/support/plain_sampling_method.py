"""A sampling method for tests: the pipeline's own image, turned by quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SampledImage, SampleFunction, SamplingMethod, SamplingOptions
from semguide.guidance.parameters import parameter
from semguide.types import Concept


@dataclass(frozen=True)
class PlainMaker(SamplingMethod):
    """The pipeline alone."""

    quarters: int = parameter(1, "How many quarters the picture is turned by.", low=0)
    label: str = parameter("none", "Something to write into the row.")

    name: ClassVar[str] = "plain"

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        if self.label == "other" or sampling.num_inference_steps > 50:
            raise UnsupportedPipeline(f"plain does not do {pipeline_class}")

    def identity(self) -> dict[str, Any]:
        return {"version": 1}

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            image = pipe(
                prompt,
                num_inference_steps=sampling.num_inference_steps,
                guidance_scale=self.guidance_scale,
                height=sampling.height,
                width=sampling.width,
                generator=torch.Generator("cpu").manual_seed(seed),
            ).images[0]
            details = {"label": self.label, "concepts": [concept.text for concept in concepts]}
            return SampledImage(
                image.rotate(90 * self.quarters),
                self.evaluations_per_image(sampling.num_inference_steps, 0),
                details=details,
            )

        return make

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        return 2 * steps

    @classmethod
    def citation(cls) -> str:
        return "@misc{plain}"
