"""Tokenizers made on the spot: single bytes, and whole words where a prompt template is to be counted."""

from __future__ import annotations

from typing import Any


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
