"""Recipe of the text encoder: a tokenizer from the world's own captions, and CLIP trained on rendered scenes."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTokenizer

from semguide.errors import InvalidArgument
from semguide_emoji.clip import CLIPShape, EmojiCLIP
from semguide_emoji.training.data import Batches

_START, _END = "<|startoftext|>", "<|endoftext|>"
_BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
_SPLIT = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def build_tokenizer(captions: list[str], folder: Path, vocabulary: int, length: int) -> CLIPTokenizer:
    """Train a byte-level BPE of CLIP's form on captions.

    Args:
        captions: Text to learn merges from; any other text still encodes, in more tokens.
        folder: Where `tokenizer.json` is written.
        vocabulary: Entries at most, at least 514 (two for every byte, and the marks).
        length: Tokens a prompt may have, the two marks included, >= 3.

    Returns:
        The tokenizer; the same captions give the same one.

    Raises:
        InvalidArgument: Vocabulary or length is too small.
    """
    for name, value, least in (("vocabulary", vocabulary, 2 + 2 * len(_BYTES)), ("length", length, 3)):
        if value < least:
            raise InvalidArgument(name, f"must be at least {least}", value)
    tokenizer = _untrained()
    # Given as special tokens, the entries come first and in this order; else their order would be a matter of chance.
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_START, _END, *_BYTES, *(byte + "</w>" for byte in _BYTES)],
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    _write(_with_model_of(tokenizer), folder, length)
    return CLIPTokenizer.from_pretrained(folder)


def _untrained() -> Tokenizer:
    """Split text as CLIP does, to bytes; no merges yet."""
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=_END))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _with_model_of(trained: Tokenizer) -> Tokenizer:
    """Make the final tokenizer: the trained merges, and no special tokens but the marks."""
    state = json.loads(trained.to_str())["model"]
    ids: dict[str, int] = state["vocab"]
    merges = [tuple(pair) for pair in state["merges"]]
    tokenizer = _untrained()
    tokenizer.model = models.BPE(ids, merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=_END)
    tokenizer.add_special_tokens([_START, _END])
    tokenizer.post_processor = processors.RobertaProcessing(
        (_END, ids[_END]), (_START, ids[_START]), trim_offsets=False, add_prefix_space=False
    )
    return tokenizer


def _write(tokenizer: Tokenizer, folder: Path, length: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    marks = {"bos_token": _START, "eos_token": _END, "pad_token": _END, "unk_token": _END}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": length, **marks}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))


def build_clip(tokenizer: CLIPTokenizer, width: int, size: int) -> EmojiCLIP:
    """A small CLIP for a tokenizer.

    Args:
        tokenizer: Gives vocabulary and length.
        width: Width of the text tower and of the common space.
        size: Side of the pictures, pixels.
    """
    return EmojiCLIP(CLIPShape(len(tokenizer), tokenizer.model_max_length, width, size=size))


def tokenize(tokenizer: CLIPTokenizer, captions: list[str], device: torch.device | str) -> Tensor:
    """Token ids (batch, length), padded to the full length as pipelines do."""
    batch = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    return batch["input_ids"].to(device)


class CLIPRecipe:
    """Symmetric InfoNCE between pictures and captions (arXiv 2103.00020).

    Args:
        clip: Both towers.
        tokenizer: Of the text tower.
        batches: Pictures with captions.
    """

    def __init__(self, clip: EmojiCLIP, tokenizer: CLIPTokenizer, batches: Batches) -> None:
        self.model = clip
        self.model.image.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue, reportArgumentType]
        self.tokenizer = tokenizer
        self.batches = batches

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        del generator
        pictures, captions = self.batches(index)
        logits = self._logits(pictures, captions)
        same = torch.tensor([[a == b for b in captions] for a in captions], device=logits.device).float()
        target = same / same.sum(dim=1, keepdim=True)  # equal captions are equally right
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2

    def _logits(self, pictures: Tensor, captions: list[str]) -> Tensor:
        device = self.model.device
        return self.model(tokenize(self.tokenizer, captions, device), pictures.to(device))

    def sheet(self, path: Path) -> None:
        """Write how often the right caption of a batch comes first, as text; there is no picture to draw."""
        pictures, captions = self.batches(10**6)
        best = [captions[int(i)] for i in self._logits(pictures, captions).argmax(dim=0)]
        share = sum(a == b for a, b in zip(best, captions, strict=True)) / len(captions)
        path.with_suffix(".txt").write_text(f"right caption first among {len(captions)}: {share:.3f}\n")
