"""The embedded checkpoints' recipes: one function a model, each taking up what its folder holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from semguide.errors import InvalidArgument
from semguide.models.clip import EmojiCLIP
from semguide.models.judge import Judge, JudgeConfig
from semguide.scenes import SMALL_WORLD, World
from semguide.training.data import Batches
from semguide.training.judge import JudgeRecipe
from semguide.training.loop import Settings, State, train
from semguide.training.text import CLIPRecipe, build_clip, build_tokenizer
from semguide.training.unet import UNetRecipe, assemble, build_unet
from semguide.training.vae import VAERecipe, build_vae, latent_scale


@dataclass(frozen=True)
class Preset:
    """A set of checkpoints that belong together.

    Attributes:
        world: What the autoencoder, CLIP and the judge see.
        drawn_world: What the U-Net learns to draw: the same nouns and colours, simpler scenes.
        size: Side of the pictures, pixels.
        latent_channels: Channels of the f = 8 latents.
        vae_channels: Width of the autoencoder at each resolution.
        unet_channels: Width of the U-Net at each resolution.
        clip_width: Width of CLIP's text tower and common space.
        prompt_length: Tokens a prompt may have, the two marks included.
        judge_width: Width of the judge.
        settings: Recipe name -> how long and how fast.
    """

    world: World
    drawn_world: World
    size: int
    latent_channels: int
    vae_channels: tuple[int, ...]
    unet_channels: tuple[int, ...]
    clip_width: int
    prompt_length: int
    judge_width: int
    settings: dict[str, Settings]


#: The first embedded checkpoint: 64x64, the 24 Attend-and-Excite nouns, hours on two CPU cores.
SMALL = Preset(
    world=SMALL_WORLD,
    drawn_world=replace(SMALL_WORLD, sizes=("small",), object_weights=(0.5, 0.4, 0.06, 0.04), worn=0.1),
    size=64,
    latent_channels=16,
    vae_channels=(16, 32, 64, 128),
    unet_channels=(96, 192),
    clip_width=192,
    prompt_length=32,
    judge_width=32,
    settings={
        "vae": Settings(steps=8000, batch_size=8, learning_rate=2e-3, warmup=100, ema=0.99, seed=11),
        "decoder": Settings(steps=4000, batch_size=8, learning_rate=1e-3, warmup=100, ema=0.99, seed=15),
        "clip": Settings(
            steps=1500, batch_size=128, learning_rate=1e-3, warmup=100, ema=0.99, seed=12, sheet_steps=100
        ),
        "unet": Settings(
            steps=4000, batch_size=64, learning_rate=1e-3, warmup=300, ema=0.996, seed=13, sheet_steps=500
        ),
        "judge": Settings(steps=3500, batch_size=32, learning_rate=2e-3, warmup=100, ema=0.99, seed=14),
    },
)

#: The weight of the text tower that diffusers' `CLIPTextModel` has not.
PROJECTION = "text_projection.weight"

PRESETS = {"small": SMALL}


def _batches(preset: Preset, settings: Settings, busy: tuple[float, ...] | None = None) -> Batches:
    world = preset.world if busy is None else replace(preset.world, object_weights=busy)
    return Batches(world, preset.size, settings.batch_size, settings.seed)


def train_vae(preset: Preset, settings: Settings, folder: Path) -> State:
    """Train the autoencoder on 32-pixel crops of busy scenes; writes `folder/vae`."""
    torch.manual_seed(settings.seed)
    vae = build_vae(preset.size, preset.vae_channels, preset.latent_channels)
    batches = _batches(preset, settings, (0.1, 0.1, 0.1, 0.7))
    state = train(VAERecipe(vae, batches, crop=32), settings, folder / "training" / "vae")
    vae.register_to_config(scaling_factor=latent_scale(vae, batches))
    vae.save_pretrained(folder / "vae")
    return state


def train_decoder(preset: Preset, settings: Settings, folder: Path) -> State:
    """Go on with the decoder alone, on whole pictures: latents stay what they are; rewrites `folder/vae`.

    Raises:
        InvalidArgument: There is no autoencoder yet.
    """
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    batches = _batches(preset, settings, (0.25, 0.25, 0.25, 0.25))
    state = train(VAERecipe(vae, batches, decoder_only=True), settings, folder / "training" / "decoder")
    vae.save_pretrained(folder / "vae")
    return state


def train_clip(preset: Preset, settings: Settings, folder: Path) -> State:
    """Train tokenizer and CLIP; writes `folder/tokenizer` and `folder/clip`."""
    torch.manual_seed(settings.seed)
    tokenizer = _tokenizer(preset, folder / "tokenizer")
    clip = build_clip(tokenizer, preset.clip_width)
    recipe = CLIPRecipe(clip, tokenizer, _batches(preset, settings, (0.5, 0.35, 0.1, 0.05)))
    state = train(recipe, settings, folder / "training" / "clip")
    clip.save(folder / "clip")
    return state


def _tokenizer(preset: Preset, folder: Path) -> CLIPTokenizer:
    """The tokenizer of a set: made once, then kept, because the weights belong to it."""
    if (folder / "tokenizer_config.json").exists():  # written last
        return CLIPTokenizer.from_pretrained(folder)
    captions = [text for index in range(2) for text in Batches(World(), 64, 2000, seed=5).scenes(index)[1]]
    return build_tokenizer(captions, folder, 1280, preset.prompt_length)


def train_unet(preset: Preset, settings: Settings, folder: Path) -> State:
    """Train the denoiser on the frozen autoencoder and text encoder; writes `folder/unet`.

    Raises:
        InvalidArgument: There is no autoencoder or no text encoder yet.
    """
    torch.manual_seed(settings.seed)
    pipe = assembled(preset, folder)
    batches = Batches(preset.drawn_world, preset.size, settings.batch_size, settings.seed)
    state = train(UNetRecipe(pipe, batches), settings, folder / "training" / "unet")
    pipe.unet.save_pretrained(folder / "unet")
    return state


def train_judge(preset: Preset, settings: Settings, folder: Path) -> State:
    """Train the judge on rendered scenes; writes `folder/judge`."""
    torch.manual_seed(settings.seed)
    judge = Judge(JudgeConfig(preset.world.nouns, preset.judge_width, preset.size))
    batches = _batches(preset, settings, (0.1, 0.3, 0.3, 0.3))
    state = train(JudgeRecipe(judge, batches), settings, folder / "training" / "judge")
    judge.save(folder / "judge")
    return state


#: Recipe name -> its function, in the order in which a set of checkpoints is made.
RECIPES: dict[str, Callable[[Preset, Settings, Path], State]] = {
    "vae": train_vae,
    "clip": train_clip,
    "unet": train_unet,
    "decoder": train_decoder,
    "judge": train_judge,
}


def assembled(preset: Preset, folder: Path) -> StableDiffusionPipeline:
    """The pipeline of the parts in a folder; a U-Net that is not there yet starts fresh.

    Raises:
        InvalidArgument: Autoencoder or CLIP is missing.
    """
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    text = text_encoder(EmojiCLIP.load(made(folder / "clip", "clip")))
    tokenizer = CLIPTokenizer.from_pretrained(made(folder / "tokenizer", "clip"))
    unet = build_unet(vae, text.config.hidden_size, preset.size // 8, preset.unet_channels)
    if (folder / "unet").exists():
        unet = type(unet).from_pretrained(folder / "unet")
    return assemble(vae, text, tokenizer, unet)


def text_encoder(clip: EmojiCLIP) -> CLIPTextModel:
    """The text tower of a CLIP as a model of its own, without the projection."""
    text = CLIPTextModel(clip.text.config)
    weights = clip.text.state_dict()
    own = text.state_dict()
    text.load_state_dict(
        {k if k in own else k.removeprefix("text_model."): v for k, v in weights.items() if k != PROJECTION}
    )
    return text


def made(path: Path, recipe: str) -> Path:
    """Return the folder of a finished part.

    Raises:
        InvalidArgument: It is not there; the message names the recipe that makes it.
    """
    if not path.exists():
        raise InvalidArgument(
            f"out (--out) must hold {path.name}/, got none in {path.parent}; run `semguide train {recipe}` first"
        )
    return path
