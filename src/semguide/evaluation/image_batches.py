"""Images of prompts and seeds: under a rule in batches, by another sampling method one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semguide.adapters import steer
from semguide.errors import InvalidArgument
from semguide.evaluation.sampling_methods import SamplingMethod, SamplingOptions
from semguide.evaluation.suites import SuitePrompt
from semguide.guidance import Rule
from semguide.guidance.session import Watcher


@dataclass(frozen=True)
class ImageBatch:
    """The images of one method.

    Attributes:
        images: (images, height, width, 3) from 0 to 255, prompt by prompt, the seeds of a prompt side by side.
        evaluations: Mean denoiser evaluations an image.
    """

    images: NDArray[np.uint8]
    evaluations: float


def generate_one_by_one(
    pipe: Any, method: SamplingMethod, prompts: Sequence[SuitePrompt], seed: int, *, num_inference_steps: int
) -> ImageBatch:
    """Make every prompt with one seed by a sampling method, which makes an image at a time.

    Args:
        pipe: A pipeline with an autoencoder, whose size is that of the images.
        method: The method.
        prompts: What to make, with its concepts.
        seed: Of each image.
        num_inference_steps: Steps, >= 1.
    """
    size: int = pipe.vae.config.sample_size
    sample = method.bind(pipe, SamplingOptions(num_inference_steps, size, size))
    made = [sample(prompt.text, prompt.concepts, seed) for prompt in prompts]
    images = np.stack([np.asarray(one.still, dtype=np.uint8) for one in made])
    return ImageBatch(images, float(np.mean([one.evaluations for one in made])))


def generate_batches(
    pipe: Any,
    rule: Rule[Any],
    prompts: Sequence[SuitePrompt],
    seeds: Sequence[int],
    *,
    num_inference_steps: int,
    batch_size: int = 32,
    watcher: Watcher | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImageBatch:
    """Make every prompt with every seed under a rule, in batches with `batch_invariant=False`.

    Args:
        pipe: A pipeline.
        rule: The rule, guidance scale included.
        prompts: What to make, with its concepts.
        seeds: One image per seed and prompt, each from its own generator.
        num_inference_steps: Steps, >= 1.
        batch_size: Images a batch, >= 1.
        watcher: Shown the predictions of every step; it counts the images of each batch from 0.
        progress: Told how many images a batch finished.

    Raises:
        InvalidArgument: There is no prompt, no seed or a prompt without concepts, or the batch size is below 1.
    """
    if not prompts or not seeds or not all(prompt.concepts for prompt in prompts):
        name, value = ("prompts", prompts) if seeds else ("seeds", seeds)
        raise InvalidArgument(name, "must be one or more, each prompt with a concept to judge", value)
    if batch_size < 1:
        raise InvalidArgument("batch_size", "must be >= 1", batch_size)
    tuned = steer(pipe, rule, batch_invariant=False)
    jobs = [(prompt, seed) for prompt in prompts for seed in seeds]
    images: list[NDArray[np.uint8]] = []
    evaluations = 0
    for first in range(0, len(jobs), batch_size):
        batch = jobs[first : first + batch_size]
        result = tuned(
            [prompt.text for prompt, _ in batch],
            concepts=[list(prompt.concepts) for prompt, _ in batch],
            watcher=watcher,
            num_inference_steps=num_inference_steps,
            generator=[torch.Generator().manual_seed(seed) for _, seed in batch],
            output_type="pt",
        )
        images.append((result.images.float() * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
        evaluations += sum(result.evaluations)
        if progress is not None:
            progress(len(batch))
    return ImageBatch(np.concatenate(images), evaluations / len(jobs))
