"""Perturbed-attention guidance: away from the prediction of a denoiser whose self-attention sees only itself."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.evaluation.sampling_methods.base import SamplingOptions, check_pipeline
from semguide.evaluation.sampling_methods.own_guidance import Evaluate, Guide, GuidedStep, OwnGuidance
from semguide.guidance.checks import check_window
from semguide.guidance.citations import PAG_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.window import Window

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline")
"""The pipelines in whose attention it is known which tokens are the image's."""
_BLOCK = re.compile(r"(.*\.)?transformer_blocks\.\d+")


@dataclass(frozen=True)
class PAG(OwnGuidance):
    """Perturbed-attention guidance (arXiv 2403.17377) beside classifier-free guidance, without concepts.

        out = e(0) + w (e(P) - e(0)) + perturbed_scale (e(P) - e~(P))

    e~ is the same denoiser, in which each token of the image attends, of the tokens of the image, only to itself, in
    the chosen blocks. In the self-attention of a U-Net the attention map is then the identity; in the joint attention
    of Stable Diffusion 3 the text is seen as before. At w = 1 it is perturbed-attention guidance alone.

    It costs 3 evaluations a step in the window, 2 elsewhere; at w = 1 one less.
    """

    perturbed_scale: float = parameter(3.0, "Scale of the perturbed guidance.", low=0.0, high=100.0, off=0.0)
    layers: str = parameter(
        "",
        "Blocks to perturb, by the beginnings of their names, with commas between, such as mid_block or "
        "transformer_blocks.1; empty for the middle: of a U-Net mid_block, as published, of a transformer one block.",
    )
    start: float = parameter(0.0, "First perturbed step, as a fraction of the steps.", low=0.0, high=1.0)
    stop: float = parameter(
        1.0, "End of the perturbed steps, excluded, as a fraction of the steps.", low=0.0, high=1.0, off=0.0
    )

    name: ClassVar[str] = "pag"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window(self.start, self.stop)

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines other than Stable Diffusion 1.x, 2.x, XL and 3.

        Raises:
            UnsupportedPipeline: It is another one.
        """
        del sampling
        check_pipeline(self.name, pipeline_class, PIPELINES)

    def guide(self, pipe: Any, denoiser: Any) -> Guide:
        """Return the guidance of one image.

        Raises:
            InvalidArgument: The denoiser has no block of a name in `layers`.
        """
        del pipe
        attentions = self_attentions(denoiser, self.layers)

        def guided(evaluate: Evaluate, step: GuidedStep) -> torch.Tensor:
            found = cond = evaluate(step.cond)
            if self.guidance_scale > 1:
                uncond = evaluate(step.uncond)
                found = uncond + self.guidance_scale * (cond - uncond)
            if not self._perturbs(step.index, step.count):
                return found
            with perturbed(attentions):
                degraded = evaluate(step.cond)
            return found + self.perturbed_scale * (cond - degraded)

        return guided

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step (1 at w = 1), and 1 more in the window."""
        del concepts
        return sum((2 if self.guidance_scale > 1 else 1) + self._perturbs(step, steps) for step in range(steps))

    def _perturbs(self, step: int, count: int) -> bool:
        return self.perturbed_scale > 0 and Window.fraction(self.start, self.stop, count).contains(step)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of perturbed-attention guidance."""
        return PAG_PAPER


def self_attentions(denoiser: Any, layers: str) -> list[Any]:
    """Return the attention modules of the named blocks that see the image's own tokens.

    Args:
        denoiser: Of diffusers.
        layers: As `PAG.layers`.

    Raises:
        InvalidArgument: There is no block of a name.
    """
    blocks = {name: block for name, block in denoiser.named_modules() if _BLOCK.fullmatch(name)}
    middle = [name for name in blocks if name.startswith("mid_block.")] or [*blocks][len(blocks) // 2 :][:1]
    names = [name.strip() for name in layers.split(",")] if layers else middle
    found: dict[str, Any] = {}
    for name in names:
        own = {key: block for key, block in blocks.items() if f"{key}.".startswith(f"{name}.")}
        if not own:
            raise InvalidArgument("layers", f"must begin names of the denoiser's blocks, {', '.join(blocks)}", name)
        found |= own
    parts = [part for block in found.values() for part in block.modules() if hasattr(part, "set_processor")]
    return [part for part in parts if not part.is_cross_attention]


@contextmanager
def perturbed(attentions: Sequence[Any]) -> Generator[None, None, None]:
    """Have tokens of the image attend, of the image, only to themselves, while the context lasts.

    Args:
        attentions: Attention modules of diffusers whose tokens are those of the image, then those of the text if any.

    Raises:
        UnsupportedPipeline: One of them does not use PyTorch's attention function.
    """
    before = [attention.processor for attention in attentions]
    own = [_OwnTokens(processor) for processor in before]
    try:
        for attention, processor in zip(attentions, own, strict=True):
            attention.set_processor(processor)
        yield
    finally:
        for attention, processor in zip(attentions, before, strict=True):
            attention.set_processor(processor)
    if not all(processor.applied for processor in own):
        raise UnsupportedPipeline(
            "pag needs attention by torch's scaled_dot_product_attention; take other processors off"
        )


class _OwnTokens:
    """A processor of diffusers in which tokens of the image see, of the image, only themselves."""

    def __init__(self, processor: Any) -> None:
        self.applied = False
        self._processor = processor

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        with _OwnTokensMode(hidden_states.shape[1]) as mode:
            found = self._processor(attn, hidden_states, *args, **kwargs)
        self.applied = mode.applied
        return found


class _OwnTokensMode(TorchFunctionMode):
    """Gives PyTorch's attention function a mask: the first tokens, those of the image, do not see each other."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.applied = False
        self._tokens = tokens

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if func is functional.scaled_dot_product_attention:
            self.applied = True
            query, key = (*args, *[given[name] for name in ("query", "key")[len(args) :]])[:2]
            mask = query.new_zeros((query.shape[-2], key.shape[-2]))
            own = torch.eye(self._tokens, dtype=torch.bool, device=query.device)
            mask[: self._tokens, : self._tokens].masked_fill_(~own, -torch.inf)
            given["attn_mask"] = mask
            args = args[:3]
        return func(*args, **given)
