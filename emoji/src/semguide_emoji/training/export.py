"""A trained set as embedded checkpoints: half precision or less, the standard folder format, a model card each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTokenizer

from semguide.errors import InvalidArgument
from semguide.files import atomic_folder, write_json, write_text
from semguide.models.derived import DEFAULTS, LORA
from semguide.models.loaded import fuse_lora
from semguide_emoji.clip import EmojiCLIP, tokenizer_folder
from semguide_emoji.judge import Judge
from semguide_emoji.training.cards import SHARES, clip_card, flow_card, judge_card, turbo_card, unet_card
from semguide_emoji.training.data import Batches
from semguide_emoji.training.history import Training, history, write_history
from semguide_emoji.training.ownership import is_export
from semguide_emoji.training.parts import assembled, assembled_flow, made
from semguide_emoji.training.presets import Preset
from semguide_emoji.training.smaller import round_matrices, share, store_matrices
from semguide_emoji.training.turbo import STEPS as FEW_STEPS
from semguide_emoji.training.turbo import few_step_scheduler
from semguide_emoji.training.vae import psnr

#: Names of the embedded checkpoints.
UNET, FLOW, TURBO, JUDGE, CLIP = "emoji-unet", "emoji-flow", "emoji-turbo", "emoji-judge", "emoji-clip"
#: Steps and scale that `semguide generate` takes when none are given.
STEPS, GUIDANCE_SCALE = 25, 7.0

Card = Callable[[Preset, list[Training], dict[str, str]], str]


@dataclass(frozen=True)
class CheckpointKind:
    """What one embedded checkpoint is made of.

    Attributes:
        part: Its own part of a set, and the recipe that trains it.
        recipes: All recipes behind it.
        card: Writes its model card.
        assemble: Makes its pipeline; None for the judge and CLIP, and for a LoRA.
        needs: Another part of the set that it is exported with, "" for none.
        best_scale: Scale of plain guidance that is best on validation prompts, which the card is measured at.
        steps: Steps that the card is measured at.
    """

    part: str
    recipes: tuple[str, ...]
    card: Card
    assemble: Callable[[Preset, Path], Any] | None
    needs: str = ""
    best_scale: float = GUIDANCE_SCALE
    steps: int = STEPS


KINDS = {
    UNET: CheckpointKind("unet", ("vae", "clip", "unet", "decoder"), unet_card, assembled, best_scale=12.0),
    FLOW: CheckpointKind("flow", ("vae", "clip", "flow", "decoder"), flow_card, assembled_flow),
    TURBO: CheckpointKind("turbo", ("turbo",), turbo_card, None, needs="unet", best_scale=1.0, steps=FEW_STEPS),
    JUDGE: CheckpointKind("judge", ("judge",), judge_card, None),
    CLIP: CheckpointKind("clip", ("clip",), clip_card, None, needs="unet"),
}


def present(folder: Path) -> list[str]:
    """Names of the checkpoints that a set can be exported as.

    Raises:
        InvalidArgument: None at all.
    """
    names = [n for n, kind in KINDS.items() if (folder / kind.part).is_dir() and (folder / kind.needs).is_dir()]
    if not names:
        made(folder / "unet", "unet")
    return names


def as_exported(preset: Preset, folder: Path, name: str = UNET) -> Any:
    """Assemble a trained set with its weights rounded as the export stores them, in float32: what its user runs.

    Raises:
        InvalidArgument: A part is missing, or the name is that of the judge or CLIP, which are no pipelines.
    """
    kind = KINDS[name]
    if name == TURBO:
        pipe = as_exported(preset, folder)
        fuse_lora(pipe, made(folder / kind.part, kind.part) / LORA)
        pipe.scheduler = few_step_scheduler(pipe)
        return pipe
    if kind.assemble is None:
        raise InvalidArgument("name", f"must be {UNET}, {FLOW} or {TURBO}", name)
    made(folder / kind.part, kind.part)
    pipe = kind.assemble(preset, folder).to(torch.float16)
    if name == FLOW:
        round_matrices(pipe.transformer)
    return pipe.to(torch.float32)


def clip_as_exported(folder: Path) -> tuple[EmojiCLIP, CLIPTokenizer]:
    """Return a set's CLIP with its weights rounded to half precision, in float32, and its tokenizer."""
    clip = EmojiCLIP.load(made(folder / "clip", "clip"))
    return clip.half().float(), CLIPTokenizer.from_pretrained(tokenizer_folder(folder / "clip"))


def export(preset: Preset, folder: Path, assets: Path, measured: dict[str, dict[str, str]] | None = None) -> list[Path]:
    """Write `emoji-unet`, `emoji-flow`, `emoji-turbo`, `emoji-judge` and `emoji-clip`, as far as the set holds them.

    emoji-clip is written without its text tower, which is emoji-unet's text encoder, and so only beside an emoji-unet;
    emoji-turbo is a LoRA of emoji-unet. emoji-flow shares autoencoder and text encoder with an emoji-unet beside it,
    and has its matrices in 8 bits.

    Args:
        preset: What the set was trained with.
        folder: The trained set.
        assets: Where to write; folders of these names are replaced, each in one rename.
        measured: Checkpoint -> quality -> value, for the cards.

    Returns:
        The written folders.

    Raises:
        InvalidArgument: A part is missing, it is not known how one was trained, or a folder is a link or another's.
    """
    runs = {name: _runs(folder, KINDS[name]) for name in present(folder)}
    for name in runs:
        target = assets / name
        if target.is_symlink() or (target.exists() and not is_export(target)):
            raise InvalidArgument(
                "to", f"must hold nothing but an earlier export as {name}", assets, "choose another folder"
            )
    with ExitStack() as stack:  # none is replaced before all are written
        parts: dict[str, Path] = {}
        for name, trained in runs.items():
            parts[name] = stack.enter_context(atomic_folder(assets / name))
            _write(name, preset, folder, parts, (measured or {}).get(name, {}), trained)
    return [assets / name for name in runs]


def _runs(folder: Path, kind: CheckpointKind) -> list[Training]:
    """All runs behind a checkpoint; each of its recipes was run, but for the decoder's."""
    runs = history(folder, kind.recipes)
    for recipe in kind.recipes:
        if recipe != "decoder" and recipe not in {run.recipe for run in runs}:
            made(folder / "training" / recipe, recipe)
    return runs


def _write(
    name: str, preset: Preset, folder: Path, parts: dict[str, Path], rows: dict[str, str], runs: list[Training]
) -> None:
    """Write one checkpoint to its empty folder, the last of `parts`."""
    part, shared = parts[name], dict[str, Any]()
    if name == JUDGE:
        Judge.load(folder / "judge").save(part)
    elif name == CLIP:
        EmojiCLIP.load(folder / "clip").save_beside(part, UNET)
    elif name == TURBO:
        shutil.copyfile(folder / "turbo" / LORA, part / LORA)
        _save_defaults(preset, part, FEW_STEPS, 1.0, base=UNET, scheduler="TCDScheduler")
    else:
        pipe = as_exported(preset, folder, name)
        quality = psnr(pipe.vae, Batches(preset.world, preset.size, 32, 77))
        rows = {"Autoencoder, PSNR on 512 held-out scenes": f"{quality:.1f} dB", **rows}
        pipe.vae.register_to_config(sample_size=preset.size)
        pipe.to(torch.float16).save_pretrained(part, safe_serialization=True)
        if name == FLOW:
            store_matrices(part / "transformer" / "diffusion_pytorch_model.safetensors")
            beside = parts.get(UNET, part.parent / UNET)
            if (beside / "vae").is_dir() and (common := share(part, beside)):
                shared = {"base": UNET, "shared": common}
        _save_defaults(preset, part, STEPS, GUIDANCE_SCALE, **shared)
    write_history(runs, part)
    write_text(part / "README.md", KINDS[name].card(preset, runs, rows) + ("\n" + SHARES if shared else ""))
    _neutral(part)


def _save_defaults(preset: Preset, part: Path, steps: int, scale: float, **origin: Any) -> None:
    size = dict.fromkeys(("height", "width", "smallest", "largest"), preset.size)
    write_json(part / DEFAULTS, {**origin, "num_inference_steps": steps, "guidance_scale": scale, **size})


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
        write_json(file, config)
