"""The parts of a set of checkpoints, put together as pipelines."""

from __future__ import annotations

from pathlib import Path

from diffusers import AutoencoderKL, SD3Transformer2DModel, StableDiffusion3Pipeline, StableDiffusionPipeline
from safetensors import safe_open
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from semguide.errors import InvalidArgument
from semguide.models.derived import with_names_of
from semguide_emoji.clip import EmojiCLIP
from semguide_emoji.training.flow import assemble_flow, build_transformer
from semguide_emoji.training.presets import Preset
from semguide_emoji.training.unet import assemble, build_unet

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
    return assemble(vae, plain(text), tokenizer, unet)


def assembled_flow(preset: Preset, folder: Path) -> StableDiffusion3Pipeline:
    """The same for emoji-flow, with an MMDiT.

    Raises:
        InvalidArgument: Autoencoder or text encoder is missing, or the text encoder has no projection.
    """
    vae, text, tokenizer = _frozen(folder)
    if not isinstance(text, CLIPTextModelWithProjection):
        raise InvalidArgument(
            "out",
            "must hold clip/, or a text_encoder/ with CLIP's projection (emoji-flow's has one, emoji-unet's has none)",
            folder,
            "run `semguide train clip` first",
        )
    tokenizer.model_max_length = preset.flow_prompt_length
    if (folder / "flow").exists():
        transformer = SD3Transformer2DModel.from_pretrained(folder / "flow")
    else:
        width = 2 * text.config.hidden_size
        transformer = build_transformer(vae, width, preset.size // 8, preset.flow_width, preset.flow_layers)
    return assemble_flow(vae, text, tokenizer, transformer)


def _frozen(folder: Path) -> tuple[AutoencoderKL, CLIPTextModel | CLIPTextModelWithProjection, CLIPTokenizer]:
    """Autoencoder, text encoder and tokenizer of a set."""
    vae = AutoencoderKL.from_pretrained(made(folder / "vae", "vae"))
    text = _text(folder)
    return vae, text, CLIPTokenizer.from_pretrained(made(folder / "tokenizer", "clip"))


def _text(folder: Path) -> CLIPTextModel | CLIPTextModelWithProjection:
    """The text encoder: of the set's own CLIP, or what an exported checkpoint had."""
    exported = folder / "text_encoder"
    if (folder / "clip").exists() or not exported.exists():
        return EmojiCLIP.load(made(folder / "clip", "clip")).text
    with safe_open(exported / "model.safetensors", "pt") as file:
        kind = CLIPTextModelWithProjection if PROJECTION in file.keys() else CLIPTextModel  # noqa: SIM118 no dict
    return kind.from_pretrained(exported)


def plain(text: CLIPTextModel | CLIPTextModelWithProjection) -> CLIPTextModel:
    """A text encoder without its projection, as Stable Diffusion has it."""
    if isinstance(text, CLIPTextModel):
        return text
    model = CLIPTextModel(text.config)
    weights = {name: tensor for name, tensor in text.state_dict().items() if name != PROJECTION}
    model.load_state_dict(with_names_of(model.state_dict(), weights))
    return model


def made(path: Path, recipe: str) -> Path:
    """Return the folder of a finished part.

    Raises:
        InvalidArgument: It is not there; the message names the recipe that makes it.
    """
    if not path.exists():
        raise InvalidArgument("out", f"must hold {path.name}/", path.parent, f"run `semguide train {recipe}` first")
    return path
