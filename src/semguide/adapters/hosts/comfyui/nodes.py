"""The nodes. ComfyUI reads their inputs and outputs from class attributes; torch and ComfyUI load when a node runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from semguide.adapters.hosts.comfyui.conditioning import Conditioning, named
from semguide.concepts.budget import MAX_CONCEPTS
from semguide.errors import InvalidArgument

if TYPE_CHECKING:
    from torch import Tensor

CATEGORY = "semguide"
Inputs = dict[str, dict[str, tuple[Any, ...]]]


class SemanticGuidanceNode:
    """Guider for SamplerCustomAdvanced."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = (
        "Classifier-free guidance that watches each concept of the prompt and adds what the guidance misses."
    )
    FUNCTION: ClassVar[str] = "build"
    INPUT_IS_LIST: ClassVar[bool] = True
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("GUIDER",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("guider",)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        from semguide.adapters.hosts.rules import hosted, settings_help
        from semguide.guidance import BalancedSGT

        cfg = {"default": 7.5, "min": 1.0, "max": 100.0, "step": 0.1, "round": 0.01}
        strength = {"default": 1.0, "min": 0.0, "max": 10.0, "step": 0.05, "round": 0.001}
        return {
            "required": {
                "model": ("MODEL",),
                "positive": ("CONDITIONING", {"tooltip": "The whole prompt."}),
                "negative": ("CONDITIONING", {"tooltip": "The negative prompt, or an empty one."}),
                "concepts": ("CONDITIONING", {"tooltip": "One conditioning or a list: the concepts to keep."}),
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
        }

    def build(  # noqa: PLR0913, PLR0917 - the inputs of the node
        self,
        model: list[Any],
        positive: list[Conditioning],
        negative: list[Conditioning],
        concepts: list[Conditioning],
        method: list[str],
        cfg: list[float],
        strength: list[float],
        settings: list[str] | None = None,
        full_trace: list[bool] | None = None,
    ) -> tuple[Any]:
        """Return the guider. Every input is a list, as `concepts` is one."""
        from semguide.adapters.hosts.comfyui.guider import SemanticGuider
        from semguide.adapters.hosts.rules import build_rule

        rule = build_rule(method[0], cfg[0], strength[0], (settings or [""])[0])
        guider = SemanticGuider(_one("model", model), rule, full_trace=bool(full_trace and full_trace[0]))
        guider.set_conds(_one("positive", positive), _one("negative", negative), concepts)
        return (guider,)


class DecomposePrompt:
    """Prompt to its conditioning and those of its concepts."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = "Encode a prompt, and each of its concepts alone: the noun phrases, or your own list."
    FUNCTION: ClassVar[str] = "decompose"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("CONDITIONING", "CONDITIONING", "STRING")
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("prompt", "concepts", "texts")
    OUTPUT_IS_LIST: ClassVar[tuple[bool, ...]] = (False, True, False)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        text = {"multiline": True, "dynamicPrompts": True, "tooltip": "The prompt."}
        own = {
            "multiline": True,
            "default": "",
            "tooltip": "Your own concepts, one a line; empty: found in the prompt.",
        }
        most = {"default": MAX_CONCEPTS, "min": 1, "max": 64, "tooltip": "Keep so many of those found in the prompt."}
        return {
            "required": {"clip": ("CLIP",), "text": ("STRING", text)},
            "optional": {"concepts": ("STRING", own), "max_concepts": ("INT", most)},
        }

    def decompose(
        self, clip: Any, text: str, concepts: str = "", max_concepts: int = MAX_CONCEPTS
    ) -> tuple[Conditioning, list[Conditioning], str]:
        """Return the prompt's conditioning, those of its concepts, and their texts, one a line."""
        from semguide.adapters.hosts.prompt import concept_texts

        if clip is None:
            raise InvalidArgument("clip", "must be a text encoder", None, "the checkpoint has none: load one for it")
        texts = concept_texts(text, concepts, max_concepts)
        return _encode(clip, text), [named(_encode(clip, item), item) for item in texts], "\n".join(texts)


class Trajectory:
    """What the rule saw and did, as a picture."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = "Similarity of each concept over the steps, shaded where it was corrected."
    FUNCTION: ClassVar[str] = "draw"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("IMAGE", "STRING")
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("image", "trace")

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        after = {"tooltip": "Output of the sampler that used the guider: it makes this node run after it."}
        return {"required": {"guider": ("GUIDER",), "latent": ("LATENT", after)}}

    def draw(self, guider: Any, latent: Any) -> tuple[Tensor, str]:
        """Return the picture, (1, height, width, 3) in [0, 1], and the trace as JSON."""
        from semguide.adapters.hosts.comfyui.guider import SemanticGuider
        from semguide.adapters.hosts.comfyui.picture import picture_of

        del latent
        if not isinstance(guider, SemanticGuider):
            raise InvalidArgument("guider", "must come from the node Semantic Guidance", type(guider).__name__)
        trace = guider.trace()
        return picture_of(trace), trace.to_json()


def _encode(clip: Any, text: str) -> Conditioning:
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def _one(name: str, values: list[Any]) -> Any:
    """Return the only value of an input."""
    if len(values) != 1:
        raise InvalidArgument(name, "must be one value, no list", values, "only {concepts} may be a list")
    return values[0]


NODE_CLASS_MAPPINGS: dict[str, type] = {
    "SemguideGuider": SemanticGuidanceNode,
    "SemguideDecompose": DecomposePrompt,
    "SemguideTrajectory": Trajectory,
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    "SemguideGuider": "Semantic Guidance",
    "SemguideDecompose": "Decompose Prompt",
    "SemguideTrajectory": "Semantic Guidance Trajectory",
}
