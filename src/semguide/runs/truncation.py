"""What the text encoder will not read of a prompt."""

from __future__ import annotations

from typing import Any


def cut_off(pipe: Any, prompt: str) -> str:
    """Return the end of a prompt that is over the text encoder's limit, "" if it reads everything.

    Args:
        pipe: A pipeline with one tokenizer or more; the one that reads the most decides.
        prompt: The prompt.
    """
    tokenizers = [getattr(pipe, name, None) for name in ("tokenizer", "tokenizer_2")]
    return min((_cut_by(tokenizer, prompt) for tokenizer in tokenizers if tokenizer is not None), key=len, default="")


def _cut_by(tokenizer: Any, prompt: str) -> str:
    offsets = tokenizer(prompt, return_offsets_mapping=True, truncation=False)["offset_mapping"]
    if len(offsets) <= tokenizer.model_max_length:
        return ""
    return prompt[offsets[tokenizer.model_max_length - 1][0] :].strip()  # the end token takes the last place
