"""A processor of vision-language models that works without torchvision, which the real ones load for videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from support.zoo.decoders import _CHAT

PAD = "<|image_pad|>"


class Processor:
    """Reads texts and images as Qwen's processors do: an image takes the place of its token, once for four patches.

    Args:
        tokenizer: The tokenizer, which has the image's token.
    """

    def __init__(self, tokenizer: Any) -> None:
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

        self.tokenizer = tokenizer
        self.image_processor: Any = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=28 * 28)

    def __call__(self, text: Any, images: Any = None, **options: Any) -> Any:
        from transformers import BatchFeature

        texts, found = [text] if isinstance(text, str) else list(text), {}
        if images is not None:
            found = self.image_processor(images, return_tensors="pt")
            counts = iter(int(grid.prod()) // 4 for grid in found["image_grid_thw"])
            texts = [_expanded(one, counts) for one in texts]
        read = self.tokenizer(texts, **options)
        own = {"mm_token_type_ids": (read.input_ids == self.tokenizer.convert_tokens_to_ids(PAD)).int()}
        return BatchFeature({**read, **found, **(own if images is not None else {})})

    def apply_chat_template(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Any:
        """Return the chat as text or tokens."""
        flat = [{**message, "content": _text(message["content"])} for message in messages]
        read = self.tokenizer.apply_chat_template(flat, chat_template=_CHAT, **options)
        return [read] if options.get("tokenize") else read


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _expanded(text: str, counts: Any) -> str:
    first, *rest = text.split(PAD)
    return first + "".join(PAD * next(counts) + part for part in rest)
