"""Tokenizers made on the spot: single bytes, and whole words where a prompt template is to be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PAD = "<|image_pad|>"


def clip_tokenizer() -> Any:
    """Build a CLIP tokenizer that knows single bytes only."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    characters = sorted(ByteLevel.alphabet())
    words = [*characters, *(f"{character}</w>" for character in characters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def byte_tokenizer(length: int = 512) -> Any:
    """Build a tokenizer in the way of T5: a token per byte, then </s>, padded with <pad>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {word: number for number, word in enumerate(words)}
    core = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    core.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])  # type: ignore[assignment]
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=length
    )


def word_tokenizer(known: str, special: tuple[str, ...], length: int = 1024, **options: Any) -> Any:
    """Build a tokenizer in the way of Qwen2: a token for each word of a text, bytes for all else, special tokens.

    Args:
        known: The text whose words are tokens, such as a prompt template: they take as many as in the real tokenizer.
        special: The special tokens; the first one pads and the last one ends.
        length: The most tokens it reads.
        options: More of the tokenizer's own; with `bos_token`, every text begins with it.
    """
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    words = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+")
    core.pre_tokenizer = pre_tokenizers.Sequence(  # type: ignore[assignment]
        [
            pre_tokenizers.Split(words, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, show_progress=False, special_tokens=list(special), initial_alphabet=alphabet
    )
    core.train_from_iterator([known], trainer)
    if "bos_token" in options:
        begin = options["bos_token"]
        core.post_processor = processors.TemplateProcessing(  # type: ignore[assignment]
            f"{begin} $A", special_tokens=[(begin, special.index(begin))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=special[0], eos_token=special[-1], model_max_length=length, **options
    )


def gemma_tokenizer(known: str) -> Any:
    """Build a tokenizer whose texts begin with <bos>, and that has the words of a text."""
    return word_tokenizer(known, ("<pad>", "<bos>", "<eos>"), bos_token="<bos>")


def chat_tokenizer(known: str = "user\nassistant\n", *more: str) -> Any:
    """Build a tokenizer with Qwen's chat template, the words of a text and more special tokens."""
    return word_tokenizer(known, ("<|endoftext|>", "<|im_start|>", *more, "<|im_end|>"), chat_template=CHAT)


def qwen_tokenizer() -> Any:
    """Build a tokenizer that reads Qwen-Image's template as the real one does: its first 34 tokens are dropped."""
    known = (
        "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, spatial "
        "relationships of the objects and background:<|im_end|>\n<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n"
    )
    return word_tokenizer(known, ("<|endoftext|>", "<|im_start|>", PAD, "<|im_end|>"))


class Positions:
    """A tokenizer that pads on the left and also returns positions, as ChatGLM's does.

    Args:
        tokenizer: The tokenizer.
    """

    def __init__(self, tokenizer: Any) -> None:
        tokenizer.padding_side = "left"
        self.model_max_length = tokenizer.model_max_length
        self._tokenizer = tokenizer

    def __call__(self, text: Any, **options: Any) -> Any:
        read = self._tokenizer(text, **options)
        if "return_tensors" in options:
            read["position_ids"] = (read.attention_mask.cumsum(1) - 1).clamp(min=0)
        return read


class Processor:
    """Reads texts and images as Qwen's processors do: an image takes the place of its token, once for four patches.

    It works without torchvision, which the real ones load for videos.

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
        read = self.tokenizer.apply_chat_template(flat, chat_template=CHAT, **options)
        return [read] if options.get("tokenize") else read


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _expanded(text: str, counts: Any) -> str:
    first, *rest = text.split(PAD)
    return first + "".join(PAD * next(counts) + part for part in rest)
