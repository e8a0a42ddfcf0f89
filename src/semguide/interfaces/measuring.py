"""What a trained set is worth: the rows of the model cards that `semguide train export` writes."""

from __future__ import annotations

from pathlib import Path

from semguide.evaluation.quality import JudgeQuality, judge_quality, unet_quality
from semguide.models.judge import Judge
from semguide.training.export import GUIDANCE_SCALE, STEPS, as_exported
from semguide.training.recipes import Preset, made


def measured(
    preset: Preset, folder: Path, seeds: int = 4, scenes: int = 2000, limit: int | None = None
) -> dict[str, str]:
    """Measure a trained set as it would be exported.

    Args:
        preset: What the set was trained with.
        folder: The trained set.
        seeds: Images per test prompt, from seed 0 on, >= 1.
        scenes: Held-out scenes to hold the judge against, >= 1.
        limit: Only so many prompts of each suite; None for all.

    Returns:
        Quality -> value.

    Raises:
        InvalidArgument: A part of the set is missing.
    """
    judge = Judge.load(made(folder / "judge", "judge"))
    pipe = as_exported(preset, folder)
    pipe.set_progress_bar_config(disable=True)
    rows = _judge_rows("rendered scenes", judge_quality(judge, preset.world, None, scenes))
    rows |= _judge_rows("scenes through the autoencoder", judge_quality(judge, preset.world, pipe.vae, scenes))
    plain = unet_quality(pipe, judge, GUIDANCE_SCALE, range(seeds), limit, num_inference_steps=STEPS)
    rows |= {f"{name}, plain CFG {GUIDANCE_SCALE:g}, {STEPS} steps": value for name, value in plain.items()}
    return rows


def _judge_rows(what: str, quality: JudgeQuality) -> dict[str, str]:
    where = f"Judge on {quality.objects} objects of {what}"
    return {
        f"{where}: noun and place found": f"{quality.found:.3f}",
        f"{where}: colour right too": f"{quality.right:.3f}",
        f"{where}: findings that are no object": f"{quality.false:.3f}",
    }
