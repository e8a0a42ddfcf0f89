"""The nodes that encode concepts, or take them from other nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from semguide.adapters.hosts.comfyui.conditioning import NAME, Conditioning, named
from semguide.adapters.hosts.comfyui.interface import CATEGORY, CONCEPTS, Inputs
from semguide.concepts.budget import MAX_CONCEPTS
from semguide.errors import InvalidArgument

_LARGEST = 16384
"""Most pixels of a side that ComfyUI takes."""


class _Decompose:
    """What the nodes share that encode a prompt and its concepts."""

    CATEGORY: ClassVar[str] = CATEGORY
    FUNCTION: ClassVar[str] = "decompose"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("CONDITIONING", "CONDITIONING", "STRING")
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("prompt", "concepts", "texts")
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = ("For positive.", CONCEPTS, "The concepts, one a line.")


class DecomposePrompt(_Decompose):
    """Prompt to its conditioning and those of its concepts."""

    DESCRIPTION: ClassVar[str] = "Encode a prompt, and each of its concepts alone: the noun phrases, or your own list."

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        return {"required": {**_CLIP, "text": _prompt("The prompt.")}, "optional": _choice()}

    def decompose(
        self, clip: Any, text: str, concepts: str = "", max_concepts: int = MAX_CONCEPTS
    ) -> tuple[Conditioning, Conditioning, str]:
        """Return the prompt's conditioning, one with an entry or more for each concept, and their texts, one a line."""
        return _decomposed(clip, {"": text}, text, concepts, max_concepts, {})


class DecomposePromptSDXL(_Decompose):
    """The same with the two text encoders and the sizes of SDXL."""

    DESCRIPTION: ClassVar[str] = (
        "Encode a prompt for SDXL, with a text for each of its encoders and its sizes, and each of its concepts alone."
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        sizes = {
            name: ("INT", {"default": default, "min": 0, "max": _LARGEST, "tooltip": tip})
            for name, default, tip in (
                ("width", 1024, "Width that the model is told, in pixels."),
                ("height", 1024, "Height that the model is told, in pixels."),
                ("crop_w", 0, "Columns that the model is told were cut off."),
                ("crop_h", 0, "Rows that the model is told were cut off."),
                ("target_width", 1024, "Width of the picture, in pixels."),
                ("target_height", 1024, "Height of the picture, in pixels."),
            )
        }
        texts = {
            "text_g": _prompt("The prompt of the larger encoder, in which the concepts are found."),
            "text_l": _prompt("The prompt of the smaller encoder; empty: the same."),
        }
        return {"required": {**_CLIP, **texts, **sizes}, "optional": _choice()}

    def decompose(  # noqa: PLR0913, PLR0917 - the inputs of the node
        self,
        clip: Any,
        text_g: str,
        text_l: str,
        width: int,
        height: int,
        crop_w: int,
        crop_h: int,
        target_width: int,
        target_height: int,
        concepts: str = "",
        max_concepts: int = MAX_CONCEPTS,
    ) -> tuple[Conditioning, Conditioning, str]:
        """Return what `DecomposePrompt` returns."""
        options = {"width": width, "height": height, "crop_w": crop_w, "crop_h": crop_h}
        options |= {"target_width": target_width, "target_height": target_height}
        texts = {"g": text_g, "l": text_l if text_l.strip() else text_g}
        return _decomposed(clip, texts, text_g, concepts, max_concepts, options)


class DecomposePromptFlux(_Decompose):
    """The same with the two text encoders and the distilled guidance of Flux."""

    DESCRIPTION: ClassVar[str] = (
        "Encode a prompt for Flux, with a text for each of its encoders, and each of its concepts alone."
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        distilled = "Distilled guidance, the same for prompt and concepts; the cfg of the guider comes on top of it."
        guidance = {"default": 3.5, "min": 0.0, "max": 100.0, "step": 0.1, "tooltip": distilled}
        texts = {
            "clip_l": _prompt("The prompt of CLIP; empty: the same."),
            "t5xxl": _prompt("The prompt of T5, in which the concepts are found."),
        }
        return {"required": {**_CLIP, **texts, "guidance": ("FLOAT", guidance)}, "optional": _choice()}

    def decompose(
        self,
        clip: Any,
        clip_l: str,
        t5xxl: str,
        guidance: float,
        concepts: str = "",
        max_concepts: int = MAX_CONCEPTS,
    ) -> tuple[Conditioning, Conditioning, str]:
        """Return what `DecomposePrompt` returns."""
        texts = {"l": clip_l if clip_l.strip() else t5xxl, "t5xxl": t5xxl}
        return _decomposed(clip, texts, t5xxl, concepts, max_concepts, {"guidance": guidance})


class GatherConcepts:
    """Conditionings of other nodes, each of them one concept."""

    CATEGORY: ClassVar[str] = CATEGORY
    DESCRIPTION: ClassVar[str] = "Concepts that other nodes encoded, each input one; those of Decompose Prompt stay."
    FUNCTION: ClassVar[str] = "gather"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("CONDITIONING",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("concepts",)
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = (CONCEPTS,)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return what the node takes."""
        entry = ("CONDITIONING", {"tooltip": "A concept, encoded alone."})
        return {"required": {}, "optional": {f"concept_{number}": entry for number in range(1, MAX_CONCEPTS + 1)}}

    def gather(self, **concepts: Conditioning) -> tuple[Conditioning]:
        """Return one conditioning of all."""
        return (gathered(concepts),)


def gathered(concepts: Mapping[str, Conditioning]) -> Conditioning:
    """Return one conditioning of several, by the numbers at the end of their names; entries with a mark keep it."""
    found: Conditioning = []
    for name in sorted(concepts, key=lambda name: int(name.rpartition("_")[2])):
        marked = any(NAME in options for _, options in concepts[name])
        found += concepts[name] if marked else named(concepts[name], name.replace("_", " "))
    return found


_CLIP: Inputs = {"clip": ("CLIP", {"tooltip": "The text encoder."})}


def _prompt(tooltip: str) -> tuple[Any, ...]:
    return ("STRING", {"multiline": True, "dynamicPrompts": True, "tooltip": tooltip})


def _choice() -> Inputs:
    """Return the inputs that choose the concepts."""
    own = {"multiline": True, "default": "", "tooltip": "Your own concepts, one a line; empty: found in the prompt."}
    most = {"default": MAX_CONCEPTS, "min": 1, "max": 64, "tooltip": "Keep so many of those found in the prompt."}
    return {"concepts": ("STRING", own), "max_concepts": ("INT", most)}


def _decomposed(
    clip: Any, prompt: Mapping[str, str], looked_at: str, own: str, most: int, options: Mapping[str, Any]
) -> tuple[Conditioning, Conditioning, str]:
    """Return the conditionings of prompt and concepts, and their texts; a concept is the same text for every encoder.

    Args:
        clip: The text encoder.
        prompt: The prompt of each of its parts, "" for all of them.
        looked_at: The text in which concepts are found.
        own: The user's concepts, one a line.
        most: How many of those found to keep.
        options: What else is told the model with each of them.
    """
    from semguide.adapters.hosts.prompt import concept_texts

    if clip is None:
        raise InvalidArgument("clip", "must be a text encoder", None, "the checkpoint has none: load one for it")
    texts = concept_texts(looked_at, own, most)
    found: Conditioning = []
    for text in texts:
        found += named(_encoded(clip, dict.fromkeys(prompt, text), options), text)
    return _encoded(clip, prompt, options), found, "\n".join(texts)


def _encoded(clip: Any, texts: Mapping[str, str], options: Mapping[str, Any]) -> Conditioning:
    if "" in texts:
        return clip.encode_from_tokens_scheduled(clip.tokenize(texts[""]))
    tokens = {part: _tokens(clip, part, text) for part, text in texts.items()}
    if "g" in tokens:  # the two encoders of SDXL read as many chunks
        longest = max(map(len, tokens.values()))
        for part, chunks in tokens.items():
            chunks.extend(_tokens(clip, part, "") * (longest - len(chunks)))
    return clip.encode_from_tokens_scheduled(tokens, add_dict=dict(options))


def _tokens(clip: Any, part: str, text: str) -> list[Any]:
    tokens = clip.tokenize(text)
    if not isinstance(tokens, dict) or part not in tokens:
        rule = f"must have a text encoder {part!r}"
        raise InvalidArgument("clip", rule, remedy="load the text encoders of that model, or use Decompose Prompt")
    return list(tokens[part])
