"""The node that tries again."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from semguide.adapters.hosts.comfyui.interface import CATEGORY, Inputs, tell
from semguide.errors import InvalidArgument
from semguide.guidance.attempts import THRESHOLD

RETRIES = 4
"""Further seeds that are tried by default."""


class SamplerWithRetries:
    """SamplerCustomAdvanced with further seeds."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = (
        "SamplerCustomAdvanced that goes on to the next seed where the first steps of one promise too little."
    )
    FUNCTION: ClassVar[str] = "sample"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("LATENT", "LATENT", "INT", "INT", "STRING")
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("output", "denoised_output", "seed", "evaluations", "report")
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = (
        "As of SamplerCustomAdvanced.",
        "As of SamplerCustomAdvanced.",
        "The seed of the picture; of several pictures that of the first, and the report names all.",
        "Evaluations of prompt, negative prompt and concepts for all pictures, dropped seeds included.",
        "The seeds that were tried with their scores, and what could not be had.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        retries = "Further seeds that may be tried for a picture, 10000 apart; 0: this is SamplerCustomAdvanced."
        threshold = (
            "Score after two fifths of the steps from which a seed is finished. A probability that every concept is "
            "right on the embedded checkpoints; on other models set it by the scores in the report."
        )
        score = {"default": THRESHOLD, "min": 0.0, "max": 1.0, "step": 0.01, "round": 0.0001, "tooltip": threshold}
        return {
            "required": {
                "noise": ("NOISE", {"tooltip": "From RandomNoise, with the first seed."}),
                "guider": ("GUIDER", {"tooltip": "From Semantic Guidance (Guider)."}),
                "sampler": ("SAMPLER", {"tooltip": "The sampler."}),
                "sigmas": ("SIGMAS", {"tooltip": "The steps."}),
                "latent_image": ("LATENT", {"tooltip": "The latent to begin with."}),
                "retries": ("INT", {"default": RETRIES, "min": 0, "max": 100, "tooltip": retries}),
                "threshold": ("FLOAT", score),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    def sample(
        self,
        noise: Any,
        guider: Any,
        sampler: Any,
        sigmas: Any,
        latent_image: Any,
        retries: int,
        threshold: float,
        unique_id: str | None = None,
    ) -> tuple[Any, Any, int, int, str]:
        """Return both latents, the seed, the evaluations and what was tried."""
        from semguide.adapters.hosts.comfyui.attempt import Sampling
        from semguide.adapters.hosts.comfyui.guider import SemanticGuider
        from semguide.adapters.hosts.comfyui.retries import draw

        if not isinstance(guider, SemanticGuider):
            remedy = "connect it, or take SamplerCustomAdvanced"
            rule = "must come from the node Semantic Guidance (Guider)"
            raise InvalidArgument("guider", rule, type(guider).__name__, remedy)
        sampling = Sampling(noise, sampler, sigmas, latent_image)
        drawn = draw(guider, sampling, retries, threshold, partial(tell, unique_id))
        tell(unique_id, drawn.report)
        return drawn.output, drawn.denoised, drawn.seeds[0], drawn.evaluations, drawn.report
