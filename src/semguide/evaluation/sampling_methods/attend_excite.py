"""Attend-and-Excite through diffusers' own pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch

from semguide.adapters.pipelines.patching import replaced_attribute
from semguide.adapters.pipelines.token_nulling import phrase_indices, prompt_tokenizer
from semguide.concepts.spans import locate
from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.evaluation.sampling_methods.base import SampledImage, SampleFunction, SamplingMethod, SamplingOptions
from semguide.guidance.citations import ATTEND_EXCITE_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.window import Window
from semguide.types import Concept

PUBLISHED = "0:0.05,0.2:0.5,0.4:0.8"
"""The thresholds of the paper, whose steps 0, 10 and 20 are of 50."""


@dataclass(frozen=True)
class AttendExcite(SamplingMethod):
    """Attend-and-Excite (arXiv 2301.13826): move the latents until each concept's noun holds attention somewhere.

    Before each of the first guided steps the latents z move along the gradient of the worst-attended noun,

        z <- z - step_size grad max_k (1 - max A_k),

    A_k being the smoothed cross-attention to the noun's last token, averaged over the maps of one resolution, and
    step_size = scale_factor sqrt(1 ... 0.5 over the steps); at some steps this repeats, up to 20 times, until every
    max A_k is above a threshold. The pipeline is diffusers' StableDiffusionAttendAndExcitePipeline, unchanged.

    It costs 2 evaluations a step, 1 more for its look at the attention, 2 for each gradient, and 3 a repetition.
    """

    scale_factor: float = parameter(20.0, "Size of a move.", low=0.0, high=1000.0, off=0.0)
    stop: float = parameter(
        0.5,
        "End of the steps with a move, excluded, as a fraction of the steps; published 25 of 50.",
        low=0.0,
        high=1.0,
    )
    thresholds: str = parameter(
        PUBLISHED,
        "Where moves repeat and until when: fraction of the steps:least attention, with commas between; empty for "
        "nowhere.",
    )
    resolution: int = parameter(
        0,
        "Side of the attention maps to look at, 2 or more (published 16, a quarter of the latents' side); 0 takes the "
        "one nearest to a quarter that the U-Net has.",
        low=0,
    )

    name: ClassVar[str] = "attend-excite"

    def __post_init__(self) -> None:
        super().__post_init__()
        _read(self.thresholds)

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines other than Stable Diffusion, and pictures that are not square.

        Raises:
            InvalidArgument: The picture is not square.
            UnsupportedPipeline: It is another pipeline.
        """
        if pipeline_class != "StableDiffusionPipeline":
            raise UnsupportedPipeline(f"attend-excite needs a StableDiffusionPipeline, got {pipeline_class}")
        if sampling.height != sampling.width:
            raise InvalidArgument(
                "width", f"must equal {{height}} ({sampling.height}) for attend-excite", sampling.width
            )

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Get ready to make images.

        Raises:
            InvalidArgument: The U-Net has no attention maps of the resolution.
            UnsupportedPipeline: The pipeline is no Stable Diffusion.
        """
        self.check(type(pipe).__name__, sampling)
        excited = _attend_excite_pipeline(pipe)
        side = self._side(pipe, sampling)
        count = sampling.num_inference_steps
        tokenizer = prompt_tokenizer(pipe, pipe.tokenizer)

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            arguments: dict[str, Any] = {
                "num_inference_steps": count,
                "guidance_scale": self.guidance_scale,
                "height": sampling.height,
                "width": sampling.width,
                "generator": torch.Generator("cpu").manual_seed(seed),
            }
            if not concepts or self.scale_factor == 0:
                image = pipe(prompt, **arguments).images[0]
                return SampledImage(image, 2 * len(pipe.scheduler.timesteps))  # one more than steps of a PNDM scheduler
            given = {
                "token_indices": [noun_token_index(tokenizer, prompt, concept) for concept in concepts],
                "max_iter_to_alter": Window.fraction(0.0, self.stop, count).last + 1,
                "thresholds": {int(place * count): least for place, least in _read(self.thresholds).items()},
                "scale_factor": self.scale_factor,
                "attn_res": (side, side),
            }
            with (
                warnings.catch_warnings(),
                _restored_processors(pipe.unet),
                count_evaluations(pipe.unet, excited) as cost,
            ):
                warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)  # of diffusers' smoothing
                image = excited(prompt, **arguments, **given).images[0]
            return SampledImage(image, cost.evaluations, details={"moves": cost.backward})

        return make

    def _side(self, pipe: Any, sampling: SamplingOptions) -> int:
        """Return the side of the attention maps to look at."""
        latents = sampling.height // pipe.vae_scale_factor
        kinds = [*pipe.unet.config.down_block_types]
        sides = [latents // 2**level for level, kind in enumerate(kinds) if "CrossAttn" in kind]
        if pipe.unet.config.mid_block_type == "UNetMidBlock2DCrossAttn":
            sides.append(latents // 2 ** (len(kinds) - 1))
        usable = sorted({side for side in sides if side > 1})  # the smoothing needs a neighbour on each side
        if self.resolution and self.resolution not in usable:
            rule = f"must be one of the U-Net's attention maps, {', '.join(map(str, usable))}"
            raise InvalidArgument("resolution", rule, self.resolution)
        return self.resolution or min(usable, key=lambda side: abs(side - latents / 4))

    def evaluations_per_image(self, steps: int, concepts: int) -> int | None:
        """Return None: how often moves repeat depends on the image."""
        return 2 * steps if not concepts or self.scale_factor == 0 else None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of Attend-and-Excite."""
        return ATTEND_EXCITE_PAPER


def noun_token_index(tokenizer: Any, prompt: str, concept: Concept) -> int:
    """Return the place of the last token of a concept's head noun in a prompt.

    Raises:
        InvalidArgument: The concept is not in the prompt.
    """
    if concept.span is None:
        raise InvalidArgument("concepts", "must stand in the prompt for attend-excite", concept.text)
    start, end = concept.span
    found = locate(prompt[:end], concept.head, start) if concept.head else None
    return phrase_indices(tokenizer, prompt, found or concept.span)[-1]


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


def _attend_excite_pipeline(pipe: Any) -> Any:
    """Return diffusers' pipeline of the same parts."""
    names = ("vae", "text_encoder", "tokenizer", "unet", "scheduler", "feature_extractor")
    parts = {name: getattr(pipe, name) for name in names}
    diffusers: Any = import_module("diffusers")  # whose types leave the class out
    excited = diffusers.StableDiffusionAttendAndExcitePipeline(
        **parts, safety_checker=None, requires_safety_checker=False
    )
    excited.set_progress_bar_config(disable=True)
    return excited


@contextmanager
def _restored_processors(unet: Any) -> Generator[None, None, None]:
    """Give a U-Net its attention processors back, also after an exception."""
    before = unet.attn_processors
    try:
        yield
    finally:
        unet.set_attn_processor(before)


@dataclass
class EvaluationCount:
    """What was run.

    Attributes:
        forward: Rows that the denoiser evaluated.
        backward: Gradients of one row.
    """

    forward: int = 0
    backward: int = 0

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations, a gradient counting as two."""
        return self.forward + 2 * self.backward


@contextmanager
def count_evaluations(denoiser: Any, pipe: Any) -> Generator[EvaluationCount, None, None]:
    """Count the forward rows of a denoiser and the moves by gradients of Attend-and-Excite while the context lasts."""
    cost = EvaluationCount()
    update = pipe._update_latent

    def count_rows(module: Any, args: tuple[Any, ...]) -> None:
        del module
        cost.forward += len(args[0])

    def count_move(*args: Any, **kwargs: Any) -> Any:
        cost.backward += 1
        return update(*args, **kwargs)

    hook = denoiser.register_forward_pre_hook(count_rows)
    try:
        with replaced_attribute(pipe, "_update_latent", count_move):
            yield cost
    finally:
        hook.remove()
