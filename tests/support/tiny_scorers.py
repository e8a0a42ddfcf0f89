"""Models that score images, of the real classes with random weights, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_WORDS = "yes no does this figure show a an and cat dog bird bear red blue green car chair apple of left to the ?"
_VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
_TEXT: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 40,
}


def save_tiny_clip(folder: Path) -> Path:
    """Save a CLIPModel and its CLIPProcessor; returns the folder."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    from support.tiny.tokenizers import clip_tokenizer

    tokenizer = clip_tokenizer()
    marks = {"bos_token_id": len(tokenizer) - 2, "eos_token_id": len(tokenizer) - 1, "pad_token_id": len(tokenizer) - 1}
    text = {**_TEXT, "vocab_size": len(tokenizer), **marks, "max_position_embeddings": 77}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        CLIPModel(CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=12)).save_pretrained(folder)
    sizes: dict[str, Any] = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPProcessor(CLIPImageProcessor(**sizes), tokenizer).save_pretrained(folder)
    return folder


def save_tiny_blip(folder: Path, words: list[str] | None = None) -> Path:
    """Save a BlipForQuestionAnswering and its BlipProcessor.

    Args:
        folder: Where it goes.
        words: What its tokenizer knows; None: some words of prompts, "yes" and "no" among them.

    Returns:
        The folder.
    """
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForQuestionAnswering, BlipImageProcessor, BlipProcessor

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    entries = [*marks, *(_WORDS.split() if words is None else words), "[DEC]", "[ENC]"]
    tokenizer = BertTokenizer(vocab={entry: index for index, entry in enumerate(entries)})
    text = {**_TEXT, "vocab_size": len(entries), "bos_token_id": len(entries) - 2, "pad_token_id": 0, "sep_token_id": 3}
    text |= {"encoder_hidden_size": 16, "projection_dim": 12, "is_decoder": True}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BlipConfig(text_config=text, vision_config=_VISION, projection_dim=12)
        model = BlipForQuestionAnswering(config)
        for weight in model.parameters():  # answers that differ from question to question
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.2)
        model.save_pretrained(folder)
    sizes: dict[str, Any] = {"size": {"height": 32, "width": 32}}
    BlipProcessor(BlipImageProcessor(**sizes), tokenizer).save_pretrained(folder)
    return folder


def save_tiny_captioner(folder: Path) -> Path:
    """Save a BlipForConditionalGeneration and its BlipProcessor; returns the folder."""
    import torch
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipProcessor

    save_tiny_blip(folder)
    config = BlipConfig.from_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor.from_pretrained(folder).save_pretrained(folder)
    return folder
