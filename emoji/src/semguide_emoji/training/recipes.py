"""The embedded checkpoints' recipes: one function a model, each taking up what its folder holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTokenizer

from semguide.errors import MissingExtra
from semguide_emoji.judge import Judge, JudgeConfig
from semguide_emoji.scenes import World
from semguide_emoji.training.data import Batches, batches_for
from semguide_emoji.training.flow import FlowRecipe
from semguide_emoji.training.judge import JudgeRecipe
from semguide_emoji.training.loop import Recipe, State, TrainingSettings, train
from semguide_emoji.training.ownership import save_part
from semguide_emoji.training.parts import assembled, assembled_flow, made
from semguide_emoji.training.presets import Preset
from semguide_emoji.training.text import CLIPRecipe, build_clip, build_tokenizer
from semguide_emoji.training.unet import UNetRecipe
from semguide_emoji.training.vae import VAERecipe, build_vae, latent_scale


def _batches(preset: Preset, settings: TrainingSettings, busy: tuple[float, ...] | None = None) -> Batches:
    world = preset.world if busy is None else replace(preset.world, object_weights=busy)
    return _of(world, preset, settings)


def _of(world: World, preset: Preset, settings: TrainingSettings) -> Batches:
    return batches_for(settings.device, world, preset.size, settings.batch_size, settings.seed)


def train_vae(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train the autoencoder on quarters of busy scenes; writes `folder/vae`."""
    torch.manual_seed(settings.seed)
    vae = build_vae(preset.size, preset.vae_channels, preset.latent_channels)
    batches = _batches(preset, settings, (0.1, 0.1, 0.1, 0.7))
    state = train(VAERecipe(vae, batches, crop=preset.size // 2), settings, folder / "training" / "vae")
    vae.register_to_config(scaling_factor=latent_scale(vae, batches))
    save_part(folder / "vae", vae.save_pretrained)
    return state


def train_decoder(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Go on with the decoder alone, on whole pictures: latents stay what they are; rewrites `folder/vae`.

    Raises:
        InvalidArgument: There is no autoencoder yet.
    """
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    batches = _batches(preset, settings, (0.25, 0.25, 0.25, 0.25))
    state = train(VAERecipe(vae, batches, decoder_only=True), settings, folder / "training" / "decoder")
    save_part(folder / "vae", vae.save_pretrained)
    return state


def train_clip(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train tokenizer and CLIP; writes `folder/tokenizer` and `folder/clip`."""
    torch.manual_seed(settings.seed)
    tokenizer = _tokenizer(preset, folder / "tokenizer")
    clip = build_clip(tokenizer, preset.clip_width, preset.size)
    recipe = CLIPRecipe(clip, tokenizer, _batches(preset, settings, (0.5, 0.35, 0.1, 0.05)))
    state = train(recipe, settings, folder / "training" / "clip")
    save_part(folder / "clip", clip.save)
    return state


def _tokenizer(preset: Preset, folder: Path) -> CLIPTokenizer:
    """The tokenizer of a set: made once, then kept, because the weights belong to it."""
    if (folder / "tokenizer_config.json").exists():  # written last
        return CLIPTokenizer.from_pretrained(folder)
    captions = [text for index in range(2) for text in Batches(World(), 64, 2000, seed=5).scenes(index)[1]]
    return build_tokenizer(captions, folder, 1280, preset.prompt_length)


def train_unet(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train the denoiser on the frozen autoencoder and text encoder; writes `folder/unet`.

    Raises:
        InvalidArgument: There is no autoencoder or no text encoder yet.
    """
    torch.manual_seed(settings.seed)
    pipe = assembled(preset, folder).to(settings.device)
    batches = _of(preset.drawn_world, preset, settings)
    state = train(UNetRecipe(pipe, batches), settings, folder / "training" / "unet")
    save_part(folder / "unet", pipe.unet.save_pretrained)
    return state


def train_flow(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train the MMDiT on the frozen autoencoder and text encoder; writes `folder/flow`.

    Raises:
        InvalidArgument: There is no autoencoder or no text encoder yet.
    """
    torch.manual_seed(settings.seed)
    pipe = assembled_flow(preset, folder).to(settings.device)
    batches = _of(preset.drawn_world, preset, settings)
    state = train(FlowRecipe(pipe, batches), settings, folder / "training" / "flow")
    save_part(folder / "flow", pipe.transformer.save_pretrained)
    return state


def train_judge(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train the judge on rendered scenes, half of them through the set's autoencoder; writes `folder/judge`.

    Raises:
        InvalidArgument: There is no autoencoder yet.
    """
    torch.manual_seed(settings.seed)
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    judge = Judge(JudgeConfig(preset.world.nouns, preset.judge_width, preset.size)).to(settings.device)
    batches = _batches(preset, settings, (0.1, 0.3, 0.3, 0.3))
    state = train(JudgeRecipe(judge, batches, vae), settings, folder / "training" / "judge")
    save_part(folder / "judge", judge.save)
    return state


def train_lora(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Train a LoRA of a new thing on the set's denoiser; writes `folder/lora`, and leaves the denoiser as it is.

    Raises:
        InvalidArgument: There is no denoiser yet, or nothing that it stands on.
        MissingExtra: peft is not installed.
    """
    _check_peft("lora")
    from semguide_emoji.training.lora import LoraRecipe, Shots

    def recipe(pipe: StableDiffusionPipeline) -> Recipe:
        return LoraRecipe(pipe, Shots(preset.drawn_world, preset.size, settings.batch_size, settings.seed))

    return _train_lora("lora", recipe, preset, settings, folder)


def train_turbo(preset: Preset, settings: TrainingSettings, folder: Path) -> State:
    """Distil the set's denoiser to a few steps without guidance; writes `folder/turbo`, a LoRA.

    Raises:
        InvalidArgument: There is no denoiser yet, or nothing that it stands on.
        MissingExtra: peft is not installed.
    """
    _check_peft("turbo")
    from semguide_emoji.training.turbo import TurboRecipe

    def recipe(pipe: StableDiffusionPipeline) -> Recipe:
        return TurboRecipe(pipe, _of(preset.drawn_world, preset, settings))

    return _train_lora("turbo", recipe, preset, settings, folder)


def _check_peft(name: str) -> None:
    if find_spec("peft") is None:
        raise MissingExtra(f"semguide train {name}", "lora")


def _train_lora(
    name: str,
    recipe: Callable[[StableDiffusionPipeline], Recipe],
    preset: Preset,
    settings: TrainingSettings,
    folder: Path,
) -> State:
    """Train a recipe that adds a LoRA to the set's denoiser; write the LoRA to `folder/name`."""
    from semguide_emoji.training.lora import save_lora

    torch.manual_seed(settings.seed)
    made(folder / "unet", "unet")
    pipe = assembled(preset, folder).to(settings.device)
    state = train(recipe(pipe), settings, folder / "training" / name)
    save_part(folder / name, partial(save_lora, pipe))
    return state


#: Recipe name -> its function, in the order in which a set of checkpoints is made; a LoRA is no part of it.
RECIPES: dict[str, Callable[[Preset, TrainingSettings, Path], State]] = {
    "vae": train_vae,
    "clip": train_clip,
    "unet": train_unet,
    "decoder": train_decoder,
    "flow": train_flow,
    "judge": train_judge,
    "lora": train_lora,
    "turbo": train_turbo,
}
