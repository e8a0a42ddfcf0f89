"""The nodes that guide and show. ComfyUI reads inputs and outputs from class attributes; torch loads when one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from semguide.adapters.hosts.comfyui.conditioning import Conditioning, concepts_of
from semguide.adapters.hosts.comfyui.interface import CATEGORY, CONCEPTS, PLAIN, Inputs, tell
from semguide.errors import InvalidArgument

if TYPE_CHECKING:
    from torch import Tensor

SCALE = 7.5
"""Guidance scale of a rule whose sampler gives its own."""


class SemanticGuidanceNode:
    """Guider for SamplerCustomAdvanced."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = (
        "Classifier-free guidance that watches each concept of the prompt and adds what the guidance misses."
    )
    FUNCTION: ClassVar[str] = "build"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("GUIDER",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("guider",)
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = ("For the input guider of SamplerCustomAdvanced.",)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        from semguide.adapters.hosts.rules import hosted, settings_help
        from semguide.guidance import BalancedSGT

        scale = "Guidance scale; 1 is for checkpoints of a few steps, which do without guidance: sgt-balanced only."
        cfg = {"default": SCALE, "min": 1.0, "max": 100.0, "step": 0.1, "round": 0.01, "tooltip": scale}
        strength = {"default": 1.0, "min": 0.0, "max": 10.0, "step": 0.05, "round": 0.001}
        return {
            "required": {
                "model": ("MODEL", {"tooltip": "The diffusion model, with LoRAs and other patches if wished."}),
                "positive": ("CONDITIONING", {"tooltip": "The whole prompt."}),
                "negative": ("CONDITIONING", {"tooltip": "The negative prompt, or an empty one."}),
                "concepts": ("CONDITIONING", {"tooltip": CONCEPTS}),
                "method": (
                    hosted(),
                    {"default": BalancedSGT.name, "tooltip": "cfg is plain guidance, to compare with."},
                ),
                "cfg": ("FLOAT", cfg),
                "strength": (
                    "FLOAT",
                    {**strength, "tooltip": "Multiple of the method's default correction; 0 is plain guidance."},
                ),
            },
            "optional": {
                "settings": (
                    "STRING",
                    {"default": "", "tooltip": settings_help()},
                ),
                "full_trace": (
                    "BOOLEAN",
                    {"default": False, "tooltip": "Evaluate the concepts at every step, for the trajectory."},
                ),
            },
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    @classmethod
    def VALIDATE_INPUTS(
        cls,
        method: str | None = None,
        settings: str | None = None,
        strength: float | None = None,
        cfg: float | None = None,
    ) -> bool | str:
        """Return True, or why ComfyUI shall not begin; an input that another node gives is not known yet."""
        from semguide.adapters.hosts.rules import build_rule

        if method is None:
            return True
        scale = SCALE if cfg is None or strength is None else cfg  # with a strength of 0 every cfg is good
        try:
            build_rule(method, scale, 1.0 if strength is None else strength, settings or "")
        except InvalidArgument as error:
            return str(error)
        return True

    def build(  # noqa: PLR0913, PLR0917 - the inputs of the node
        self,
        model: Any,
        positive: Conditioning,
        negative: Conditioning,
        concepts: Conditioning,
        method: str,
        cfg: float,
        strength: float,
        settings: str = "",
        full_trace: bool = False,
        unique_id: str | None = None,
    ) -> tuple[Any]:
        """Return the guider."""
        from semguide.adapters.hosts.comfyui.guider import SemanticGuider
        from semguide.adapters.hosts.rules import build_rule

        rule = build_rule(method, cfg, strength, settings)
        guider = SemanticGuider(model, rule, full_trace=full_trace)
        guider.set_conds(positive, negative, concepts_of(concepts))
        guider.node = unique_id
        if not concepts and not rule.is_noop:
            tell(unique_id, PLAIN)
        return (guider,)


class SemanticGuidanceModelNode:
    """MODEL for samplers that take no guider."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = (
        "The same as a patch of the model, for KSampler, Detailer and other samplers that take no guider."
    )
    FUNCTION: ClassVar[str] = "patch"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("MODEL",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("model",)
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = ("For the input model of a sampler.",)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes: the cfg is the sampler's."""
        inputs = SemanticGuidanceNode.INPUT_TYPES()
        kept = {name: inputs["required"][name] for name in ("model", "concepts", "method", "strength")}
        return {"required": kept, "optional": {"settings": inputs["optional"]["settings"]}, "hidden": inputs["hidden"]}

    @classmethod
    def VALIDATE_INPUTS(
        cls, method: str | None = None, settings: str | None = None, strength: float | None = None
    ) -> bool | str:
        """Return True, or why ComfyUI shall not begin."""
        return SemanticGuidanceNode.VALIDATE_INPUTS(method, settings, strength)

    def patch(
        self,
        model: Any,
        concepts: Conditioning,
        method: str,
        strength: float,
        settings: str = "",
        unique_id: str | None = None,
    ) -> tuple[Any]:
        """Return the model with the rule in it."""
        from semguide.adapters.hosts.comfyui.model_patch import ModelPatch
        from semguide.adapters.hosts.rules import build_rule

        rule = build_rule(method, SCALE, strength, settings)
        if rule.is_noop or not concepts:
            tell(unique_id, None if rule.is_noop else PLAIN)
            return (model,)
        return (ModelPatch(rule, concepts_of(concepts), unique_id).patched(model),)


class Trajectory:
    """What the rule saw and did, as a picture."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = "Similarity of each concept over the steps, shaded where it was corrected."
    FUNCTION: ClassVar[str] = "draw"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("IMAGE", "STRING")
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("image", "trace")
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = ("The picture.", "The numbers, as JSON.")

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        after = {"tooltip": "Output of the sampler that used the guider: it makes this node run after it."}
        guider = {"tooltip": "From Semantic Guidance (Guider)."}
        return {"required": {"guider": ("GUIDER", guider), "latent": ("LATENT", after)}}

    def draw(self, guider: Any, latent: Any) -> tuple[Tensor, str]:
        """Return the picture, (1, height, width, 3) in [0, 1], and the trace as JSON."""
        from semguide.adapters.hosts.comfyui.guider import SemanticGuider
        from semguide.adapters.hosts.comfyui.picture import picture_of

        del latent
        if not isinstance(guider, SemanticGuider):
            raise InvalidArgument("guider", "must come from the node Semantic Guidance", type(guider).__name__)
        trace = guider.trace()
        return picture_of(trace), trace.to_json()
