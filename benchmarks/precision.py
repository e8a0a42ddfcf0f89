"""What half precision costs: pictures and similarities in bfloat16 and float16 against float32, under each rule.

    python benchmarks/precision.py --out out/precision [--models emoji-unet,emoji-flow] [--limit 48]

makes the validation prompts of `emoji-ae`, one seed, from one noise in all three dtypes, and writes

    MODEL-DTYPE-METHOD-*.npz   images and similarities under a hash of checkpoint, prompts and setting; made again only
                               where they are missing
    precision.json             per model, rule and dtype: the means below with intervals over prompts

and prints a row each: difference of pictures (mean, 0 to 255), largest difference of a similarity at the first step,
where the noise is the same, and of its mean over the first third of the steps, share of images with every concept
right, that less float32's, and the share that was right in float32 and is wrong (lost), or the other way round (won).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semguide import steer
from semguide.evaluation.statistics import bootstrap
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide.files import digest, write_arrays, write_json
from semguide.guidance import CFG, BalancedSGT, Rule, SGTv1, SGTv2
from semguide.models import fingerprint, load
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings
from semguide_emoji.evaluation.verdict import rule_on
from semguide_emoji.judge import Judge

DTYPES = ("float32", "bfloat16", "float16")
RULES: dict[str, Rule[Any]] = {
    "cfg": CFG(7.0),
    "sgt": BalancedSGT(7.0),
    "sgt-v1": SGTv1(10.0, concept_guidance_scale=4.0),
    "sgt-v2": SGTv2(10.0, concept_guidance_scale=1.0, warmup_steps=0),
}
"""The settings of the table of methods, which were found on validation prompts; plain guidance as the control."""

Made = dict[str, NDArray[Any]]


def noise(pipe: Any, count: int) -> torch.Tensor:
    """Return the starting noise of an image of each prompt, the same whatever the dtype."""
    denoiser = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    shape = (1, denoiser.config.in_channels, denoiser.config.sample_size, denoiser.config.sample_size)
    return torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(index)) for index in range(count)])


def made(pipe: Any, rule: Rule[Any], prompts: Sequence[SuitePrompt], options: argparse.Namespace) -> Made:
    """Make an image of each prompt: images, and similarities "image step concept"."""
    tuned = steer(pipe, rule, batch_invariant=False)
    latents = noise(pipe, len(prompts)).to(pipe.dtype)
    images: list[NDArray[np.uint8]] = []
    similarity: list[NDArray[np.float64]] = []
    for first in range(0, len(prompts), options.batch_size):
        batch = prompts[first : first + options.batch_size]
        result = tuned(
            [prompt.text for prompt in batch],
            concepts=[list(prompt.concepts) for prompt in batch],
            num_inference_steps=options.steps,
            latents=latents[first : first + options.batch_size],
            output_type="pt",
        )
        images.append((result.images.float() * 255).round().byte().permute(0, 2, 3, 1).numpy())
        similarity += result.trace.similarity
    return {"images": np.concatenate(images), "similarity": np.stack(similarity)}


def stored(path: Path, make: Callable[[], Made]) -> Made:
    """Return what a file holds, made and written to it where it is missing."""
    if not path.exists():
        write_arrays(path, **make())
    with np.load(path) as data:
        return dict(data)


def compared(half: Made, full: Made, right: NDArray[np.bool_], before: NDArray[np.bool_]) -> dict[str, list[float]]:
    """Return what a dtype makes of each prompt, against float32: a mean and its interval by name."""
    steps = half["similarity"].shape[1]
    apart = np.abs(half["similarity"] - full["similarity"])
    third = slice(0, max(1, round(steps / 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # plain guidance has no similarities
        means = [np.nanmean(each["similarity"][:, third], axis=1) for each in (half, full)]
        first = apart[:, np.flatnonzero(np.isfinite(apart).any(axis=(0, 2)))[:1]].reshape(len(apart), -1)
    pictures = np.abs(half["images"].astype(int) - full["images"].astype(int)).mean(axis=(1, 2, 3))
    columns = {"pictures": pictures, "right": right, "change": right.astype(int) - before}
    columns |= {"lost": before & ~right, "won": right & ~before}
    if first.size and np.isfinite(means[0]).all():
        columns |= {"first_similarity": first.max(axis=1), "early_similarity": np.abs(means[0] - means[1]).max(axis=1)}
    return {name: interval(values) for name, values in columns.items()}


def interval(values: NDArray[Any]) -> list[float]:
    """Return mean, lower and upper end of its interval."""
    found = bootstrap(values.astype(float))
    return [round(number, 5) for number in (found.mean, found.low, found.high)]


def measured(model: str, prompts: Sequence[SuitePrompt], options: argparse.Namespace) -> dict[str, Any]:
    """Measure a model: method -> dtype -> what `compared` returns."""
    judge = Judge.load(ASSETS / "emoji-judge")
    texts, weights = [prompt.text for prompt in prompts], fingerprint(ASSETS / model)
    found: dict[str, Any] = {name: {} for name in RULES}
    everything: dict[str, tuple[Made, NDArray[np.bool_]]] = {}
    for dtype in DTYPES:
        pipe: Any = load(model).to(getattr(torch, dtype))
        pipe.set_progress_bar_config(disable=True)
        for name, rule in RULES.items():
            key = digest([weights, options.steps, repr(rule), texts])[:16]
            path = options.out / f"{model}-{dtype}-{name}-{key}.npz"
            here = stored(path, lambda pipe=pipe, rule=rule: made(pipe, rule, prompts, options))
            seen = findings(judge, here["images"])
            right = np.array([rule_on(*pair).all_right for pair in zip(prompts, seen, strict=True)])
            full, before = everything.setdefault(name, (here, right))
            found[name][dtype] = compared(here, full, right, before)
            print(f"{model:11}{name:8}{dtype:10}{worded(found[name][dtype])}", flush=True)
    return found


def worded(row: dict[str, list[float]]) -> str:
    """Return a row of the table."""
    return "  ".join(f"{name} {mean:.4g} [{low:.4g}, {high:.4g}]" for name, (mean, low, high) in row.items())


def main() -> None:
    """Make what is missing, then write and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", default="emoji-unet,emoji-flow")
    parser.add_argument("--limit", type=int, default=48)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=8)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    prompts = limited(suite("emoji-ae", "validation"), options.limit)
    models = {model: measured(model, prompts, options) for model in options.models.split(",")}
    write_json(options.out / "precision.json", {"prompts": len(prompts), "steps": options.steps, "models": models})


if __name__ == "__main__":
    main()
