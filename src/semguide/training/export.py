"""A trained set as embedded checkpoints: half precision, the standard folder format, a model card each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import torch

from semguide.models.judge import Judge
from semguide.training.data import Batches
from semguide.training.recipes import Preset, assembled
from semguide.training.vae import psnr

FONT = (
    "The drawings come from Noto Color Emoji (Copyright Google), licensed under the SIL Open Font License 1.1; "
    "the bench is our own."
)


def export(preset: Preset, folder: Path, assets: Path, measured: dict[str, str] | None = None) -> list[Path]:
    """Write `emoji-unet` and `emoji-judge`.

    Args:
        preset: What the set was trained with.
        folder: The trained set.
        assets: Where to write; folders of these names are replaced, each in one rename.
        measured: Quality -> value with the command that measured it, for the card.

    Returns:
        The written folders.
    """
    rows = {"Autoencoder, PSNR on 512 held-out scenes": f"{_psnr(preset, folder):.1f} dB", **(measured or {})}
    pipe = assembled(preset, folder)
    pipe.vae.register_to_config(sample_size=preset.size)
    unet, judge = assets / "emoji-unet", assets / "emoji-judge"
    part = _fresh(unet)
    pipe.to(torch.float16).save_pretrained(part, safe_serialization=True)
    size = {name: preset.size for name in ("height", "width", "smallest", "largest")}
    (part / "semguide.json").write_text(
        json.dumps({"num_inference_steps": 25, "guidance_scale": 5.0, **size}, indent=2)
    )
    (part / "README.md").write_text(_unet_card(preset, folder, rows))
    _replace(part, unet)
    part = _fresh(judge)
    Judge.load(folder / "judge").save(part)
    (part / "README.md").write_text(_judge_card(preset, folder, rows))
    _replace(part, judge)
    return [unet, judge]


def _psnr(preset: Preset, folder: Path) -> float:
    return psnr(assembled(preset, folder).vae, Batches(preset.world, preset.size, 32, 77))


def _fresh(path: Path) -> Path:
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _replace(part: Path, path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.replace(part, path)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _runs(folder: Path, names: tuple[str, ...]) -> str:
    """A table of what was trained for how long, from the training logs."""
    lines = ["| recipe | steps | batch | learning rate | minutes | device |", "|---|---|---|---|---|---|"]
    for name in names:
        run = folder / "training" / name
        settings = json.loads((run / "settings.json").read_text())
        last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
        lines.append(
            f"| `semguide train {name}` | {last['step']} | {settings['batch_size']} | {settings['learning_rate']} "
            f"| {last['seconds'] / 60:.0f} | {settings['device']} |"
        )
    return "\n".join(lines)


def _table(rows: dict[str, str]) -> str:
    return "\n".join(
        ["| quality | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


def _unet_card(preset: Preset, folder: Path, rows: dict[str, str]) -> str:
    world = {k: v for k, v in asdict(preset.world).items() if not k.startswith("_")}
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
---
# emoji-unet

A small Stable Diffusion of emoji scenes, {preset.size}x{preset.size}, trained from nothing on pictures made on the fly; it loads as `StableDiffusionPipeline`.

It exists so that guidance can be tried, tested and measured without downloading anything. It is no substitute for a
real model, and what is measured on it is said to be measured on it.

## Data

Scenes of 1 to 4 objects of {len(preset.world.nouns)} nouns in {len(preset.world.colours)} colours, drawn by `semguide.scenes`; captions are templated English
and leave things out, as captions on the web do (`CaptionNoise`). The world: `{json.dumps(world)}`.

{FONT}

## Recipe

AutoencoderKL (f = 8, {preset.latent_channels} latent channels), a CLIP text encoder trained contrastively and frozen, UNet2DConditionModel
{preset.unet_channels}, eps prediction, AdamW, EMA. Exported at commit {_commit()}.

{_runs(folder, ("vae", "clip", "unet", "decoder"))}

## Quality

{_table(rows)}
"""


def _judge_card(preset: Preset, folder: Path, rows: dict[str, str]) -> str:
    return f"""# emoji-judge

A small detector of nouns, colours and boxes in {preset.size}x{preset.size} emoji scenes, trained on rendered scenes only, never on generated pictures.

{FONT} Exported at commit {_commit()}.

{_runs(folder, ("judge",))}

## Quality

{_table({name: value for name, value in rows.items() if "udge" in name})}
"""
