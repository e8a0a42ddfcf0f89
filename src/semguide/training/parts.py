"""The parts of a set of checkpoints, put together as pipelines."""

from __future__ import annotations

from pathlib import Path

from diffusers import AutoencoderKL, SD3Transformer2DModel, StableDiffusion3Pipeline, StableDiffusionPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from semguide.errors import InvalidArgument
from semguide.models.clip import EmojiCLIP
from semguide.training.flow import assemble_flow, build_transformer
from semguide.training.presets import Preset
from semguide.training.unet import assemble, build_unet

#: The weight of the text tower that diffusers' `CLIPTextModel` has not.
PROJECTION = "text_projection.weight"


def assembled(preset: Preset, folder: Path) -> StableDiffusionPipeline:
    """The pipeline of the parts in a folder; a U-Net that is not there yet starts fresh.

    Raises:
        InvalidArgument: Autoencoder or text encoder is missing.
    """
    vae, text, tokenizer = _frozen(folder)
    unet = build_unet(vae, text.config.hidden_size, preset.size // 8, preset.unet_channels)
    if (folder / "unet").exists():
        unet = type(unet).from_pretrained(folder / "unet")
    return assemble(vae, text, tokenizer, unet)


def assembled_flow(preset: Preset, folder: Path) -> StableDiffusion3Pipeline:
    """The same for emoji-flow; an MMDiT that is not there yet starts fresh."""
    vae, text, tokenizer = _frozen(folder)
    tokenizer.model_max_length = preset.flow_prompt_length
    if (folder / "flow").exists():
        transformer = SD3Transformer2DModel.from_pretrained(folder / "flow")
    else:
        width = 2 * text.config.hidden_size
        transformer = build_transformer(vae, width, preset.size // 8, preset.flow_width, preset.flow_layers)
    return assemble_flow(vae, text, tokenizer, transformer)


def _frozen(folder: Path) -> tuple[AutoencoderKL, CLIPTextModel, CLIPTokenizer]:
    """Autoencoder, text encoder and tokenizer of a set; the text encoder may come from an exported checkpoint."""
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    if (folder / "text_encoder").exists():
        text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    else:
        text = text_encoder(EmojiCLIP.load(made(folder / "clip", "clip")))
    return vae, text, CLIPTokenizer.from_pretrained(made(folder / "tokenizer", "clip"))


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
