"""Any guider of diffusers as a sampling method."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

import torch

from semguide.errors import InvalidArgument
from semguide.evaluation.sampling_methods.own_guidance import Evaluate, Guide, GuidedStep, OwnGuidance
from semguide.files import parse_json
from semguide.guidance.citations import CFG_PAPER
from semguide.guidance.parameters import parameter

SCALE = "guidance_scale"
_OTHER_INPUTS = ("LTX2Guidance",)
"""Guiders that ask for more than the predictions for a prompt and a negative prompt."""


@dataclass(frozen=True)
class Guider(OwnGuidance):
    """Guidance by a guider of diffusers (`BaseGuidance`), without concepts, in the pipeline's own loop.

    Each step it is asked for its batches, gets the denoiser's prediction for each, one evaluation, and its answer is
    the guided prediction. It works on the model's own predictions, as in diffusers' modular pipelines.
    """

    guider: str = parameter("ClassifierFreeGuidance", "Name of a guider in diffusers.guiders.")
    options: str = parameter(
        "{}", 'Its other arguments as a JSON object, such as {"eta": 0.0}; guidance_scale is the method\'s own.'
    )

    name: ClassVar[str] = "guider"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.made()

    def made(self) -> Any:
        """Return a new guider.

        Raises:
            InvalidArgument: diffusers has none of the name, or it does not take the options.
        """
        kinds = guider_classes()
        if self.guider not in kinds:
            raise InvalidArgument("guider", f"must be one of {', '.join(kinds)}", self.guider)
        kind = kinds[self.guider]
        given = _read(self.options)
        known = inspect.signature(kind.__init__).parameters
        if unknown := [name for name in given if name not in known or name in ("self", SCALE)]:
            valid = ", ".join(name for name in known if name not in ("self", SCALE))
            raise InvalidArgument("options", f"must be arguments of {self.guider} ({valid})", unknown[0])
        try:
            return kind(**({SCALE: self.guidance_scale} if SCALE in known else {}), **given)
        except (TypeError, ValueError) as error:
            raise InvalidArgument("options", f"must suit {self.guider} ({error})", self.options) from error

    def guide(self, pipe: Any, denoiser: Any) -> Guide:
        """Return the guidance of one image, by a guider of its own."""
        del pipe
        guider = self.made()

        def guided(evaluate: Evaluate, step: GuidedStep) -> torch.Tensor:
            guider.set_state(step.index, step.count, step.timestep)
            batches = guider.prepare_inputs({"call": (step.cond, step.uncond)})
            for batch in batches:
                guider.prepare_models(denoiser)
                try:
                    batch.noise_pred = evaluate(batch.call)
                finally:
                    guider.cleanup_models(denoiser)
            return guider(batches).pred

        return guided

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return one for each batch that the guider asks for."""
        del concepts
        guider, total = self.made(), 0
        for step in range(steps):
            guider.set_state(step, steps, None)
            total += guider.num_conditions
        return total

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of classifier-free guidance; that of the guider is in diffusers' documentation."""
        return CFG_PAPER


def guider_classes() -> dict[str, type[Any]]:
    """Return the guiders of diffusers that need no more than predictions for prompt and negative prompt, by name."""
    guiders: Any = import_module("diffusers.guiders")
    base = guiders.BaseGuidance
    kinds: dict[str, Any] = {name: getattr(guiders, name) for name in dir(guiders) if name not in _OTHER_INPUTS}
    return {name: kind for name, kind in kinds.items() if inspect.isclass(kind) and base in kind.__mro__[1:]}


def _read(options: str) -> dict[str, Any]:
    try:
        given = parse_json(options)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidArgument("options", 'must be a JSON object such as {"eta": 0.0}', options)
    return cast(dict[str, Any], given)
