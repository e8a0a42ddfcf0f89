"""A judge with random weights, made so that it finds each noun in about half of some pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOUNS = ("cat", "dog", "bird", "bear")
SIZE = 32


def save_tiny_judge(folder: Path, pictures: Sequence[Any]) -> Path:
    """Save a judge of `NOUNS`.

    Args:
        folder: Where it goes.
        pictures: PIL pictures like those that it will judge.

    Returns:
        The folder.
    """
    import numpy as np
    import torch

    from semguide_emoji.judge import Judge, JudgeConfig

    small = [np.asarray(picture.convert("RGB").resize((SIZE, SIZE)), dtype=np.float32) for picture in pictures]
    batch = torch.tensor(np.stack(small)).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        judge = Judge(JudgeConfig(nouns=NOUNS, width=8, size=SIZE)).eval()
        assert judge.head.bias is not None
        bias = judge.head.bias[: len(NOUNS)]
        highest = (judge(batch)[0] - bias[:, None, None]).amax(dim=(2, 3))
        scale = 1.0 / highest.std(dim=0)
        judge.head.weight[: len(NOUNS)] *= scale[:, None, None, None]
        bias[:] = -0.85 - scale * highest.median(dim=0).values  # find() takes 0.3, a logit of -0.85
    judge.save(folder)
    return folder


def tiny_pictures(checkpoint: Path, count: int) -> list[Any]:
    """Make pictures with a tiny checkpoint, from other seeds and prompts than the tests use."""
    import torch

    from semguide.models import load

    pipe = load(str(checkpoint), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(1000 + seed) for seed in range(count)]
    return [pipe("a frog", num_inference_steps=2, generator=generator).images[0] for generator in generators]
