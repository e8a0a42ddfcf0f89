"""What a trained set is worth: the rows of the model cards that `semguide train export` writes."""

from __future__ import annotations

from pathlib import Path

from semguide_emoji import ASSETS
from semguide_emoji.evaluation.quality import JudgeQuality, clip_quality, judge_quality, plain_quality
from semguide_emoji.judge import Judge
from semguide_emoji.training.export import CLIP, JUDGE, KINDS, as_exported, clip_as_exported, present
from semguide_emoji.training.presets import Preset


def measured(
    preset: Preset, folder: Path, seeds: int = 4, scenes: int = 2000, limit: int | None = None
) -> dict[str, dict[str, str]]:
    """Measure a trained set as it would be exported, by its own judge, or the embedded one if it has none.

    Args:
        preset: What the set was trained with.
        folder: The trained set.
        seeds: Images per test prompt, from seed 0 on, >= 1.
        scenes: Held-out scenes to hold the judge against, >= 1.
        limit: Only so many prompts of each suite; None for all.

    Returns:
        Checkpoint -> quality -> value; what is said of the judge stands with each.

    Raises:
        InvalidArgument: A part of the set is missing.
    """
    own = folder / "judge"
    judge = Judge.load(own if own.is_dir() else ASSETS / JUDGE)
    rows: dict[str, dict[str, str]] = {}
    seen = _judge_rows("rendered scenes", judge_quality(judge, preset.world, None, scenes))
    for name in present(folder):
        if name in (JUDGE, CLIP):
            continue
        pipe = as_exported(preset, folder, name)
        pipe.set_progress_bar_config(disable=True)
        if not rows:  # one autoencoder for all
            seen |= _judge_rows("scenes through the autoencoder", judge_quality(judge, preset.world, pipe.vae, scenes))
        scale, steps = KINDS[name].best_scale, KINDS[name].steps
        how = "no guidance" if scale == 1 else f"plain CFG {scale:g}"
        plain = plain_quality(pipe, judge, scale, range(seeds), limit, num_inference_steps=steps)
        plain = {f"{row}, {how}, {steps} steps": value for row, value in plain.items()}
        rows[name] = seen | plain
    if own.is_dir():
        rows[JUDGE] = seen
    if CLIP in present(folder):
        rows[CLIP] = clip_quality(*clip_as_exported(folder), preset.world, scenes)
    return rows


def _judge_rows(what: str, quality: JudgeQuality) -> dict[str, str]:
    where = f"Judge on {quality.objects} objects of {what}"
    return {
        f"{where}: noun and place found": f"{quality.found:.3f}",
        f"{where}: colour right too": f"{quality.right:.3f}",
        f"{where}: findings that are no object": f"{quality.false:.3f}",
    }
