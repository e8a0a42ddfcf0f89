"""A trained set as embedded checkpoints: half precision, the standard folder format, a model card each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from semguide.models.judge import Judge
from semguide.training.cards import judge_card, unet_card
from semguide.training.data import Batches
from semguide.training.recipes import Preset, assembled, made
from semguide.training.vae import psnr

#: Names of the embedded checkpoints.
UNET, JUDGE = "emoji-unet", "emoji-judge"
#: Steps and scale that `semguide generate` takes for emoji-unet when none are given, and that its card is measured at.
STEPS, GUIDANCE_SCALE = 25, 5.0


def as_exported(preset: Preset, folder: Path) -> StableDiffusionPipeline:
    """Assemble a trained set with its weights rounded to half precision, in float32: what a user of the export runs.

    Raises:
        InvalidArgument: A part is missing.
    """
    made(folder / "unet", "unet")
    return assembled(preset, folder).to(torch.float16).to(torch.float32)


def export(preset: Preset, folder: Path, assets: Path, measured: dict[str, str] | None = None) -> list[Path]:
    """Write `emoji-unet` and `emoji-judge`.

    Args:
        preset: What the set was trained with.
        folder: The trained set.
        assets: Where to write; folders of these names are replaced, each in one rename.
        measured: Quality -> value, for the cards; rows that name the judge stand on both.

    Returns:
        The written folders.

    Raises:
        InvalidArgument: A part is missing.
    """
    made(folder / "judge", "judge")
    pipe = as_exported(preset, folder)
    quality = psnr(pipe.vae, Batches(preset.world, preset.size, 32, 77))
    rows = {"Autoencoder, PSNR on 512 held-out scenes": f"{quality:.1f} dB", **(measured or {})}
    parts = (_write_unet(preset, folder, pipe, assets, rows), _write_judge(preset, folder, assets, rows))
    return [_replace(part) for part in parts]


def _write_unet(
    preset: Preset, folder: Path, pipe: StableDiffusionPipeline, assets: Path, rows: dict[str, str]
) -> Path:
    part = _fresh(assets / UNET)
    pipe.vae.register_to_config(sample_size=preset.size)
    pipe.to(torch.float16).save_pretrained(part, safe_serialization=True)
    size = dict.fromkeys(("height", "width", "smallest", "largest"), preset.size)
    defaults = {"num_inference_steps": STEPS, "guidance_scale": GUIDANCE_SCALE, **size}
    (part / "semguide.json").write_text(json.dumps(defaults, indent=2), encoding="utf-8")
    (part / "README.md").write_text(unet_card(preset, folder, rows), encoding="utf-8")
    return part


def _write_judge(preset: Preset, folder: Path, assets: Path, rows: dict[str, str]) -> Path:
    part = _fresh(assets / JUDGE)
    Judge.load(folder / "judge").save(part)
    (part / "README.md").write_text(judge_card(preset, folder, rows), encoding="utf-8")
    return part


def _fresh(path: Path) -> Path:
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _neutral(part: Path) -> None:
    """Make a folder readable by everybody, without a trace of where it was trained, and float32 unless asked otherwise.

    transformers takes a text encoder's dtype from its configuration, diffusers takes float32 for the other parts: left
    at float16, a plain `from_pretrained` would mix the two and fail.
    """
    for weights in part.rglob("*.safetensors"):
        weights.chmod(0o644)
    for file in part.glob("*/config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        config.pop("_name_or_path", None)
        if "dtype" in config:
            config["dtype"] = "float32"
        file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _replace(part: Path) -> Path:
    _neutral(part)
    path = part.with_suffix("")
    shutil.rmtree(path, ignore_errors=True)
    return part.replace(path)
