"""Model cards of the embedded checkpoints: data, recipe, commit, measured quality, licence of the drawings."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from semguide_emoji.scenes import World
from semguide_emoji.training.data import Batches
from semguide_emoji.training.history import Training, table
from semguide_emoji.training.presets import Preset

_FONT = """The drawings come from Noto Color Emoji (Copyright Google), licensed under the SIL Open Font License 1.1;
the bench is our own."""
_FLOW_TEXT = """SD3 reads two CLIP text encoders and T5. The first encoder is the set's own, the second its first
layer alone, whose input is each word by itself; the T5 has no layers and says nothing: its output is zero. The matrices
of the blocks are trained by Muon (arXiv 2502.16982), everything else by AdamW.

The matrices of the MMDiT are stored in 8 bits (float8_e4m3fn), which diffusers casts to the dtype that is asked for."""
SHARES = """## What it shares

`semguide.json` lists components whose weights are emoji-unet's, in the folder beside this one. `semguide.models.load`
reads both; what the pipeline's `save_pretrained` writes stands alone, and diffusers loads it by itself.
"""
"""What the card of a checkpoint that shares components says besides."""


def unet_card(preset: Preset, runs: list[Training], rows: dict[str, str]) -> str:
    """Write the card of emoji-unet.

    Args:
        preset: What the set was trained with.
        runs: Of its recipes, one after the other.
        rows: Quality -> value.
    """
    network = f"UNet2DConditionModel {preset.unet_channels}, eps prediction"
    opening = _opening("emoji-unet", "Stable Diffusion", "StableDiffusionPipeline", preset)
    return f"{opening}\n{_data(preset, 'U-Net')}\n{_recipe(preset, network, runs)}\n{_quality(rows)}"


def flow_card(preset: Preset, runs: list[Training], rows: dict[str, str]) -> str:
    """Write the card of emoji-flow; arguments as for `unet_card`."""
    size = f"width {preset.flow_width}, {preset.flow_layers} blocks, one token for each pixel of the latents"
    network = f"SD3Transformer2DModel (MMDiT, {size}), flow matching at logit-normal times"
    opening = _opening("emoji-flow", "Stable Diffusion 3", "StableDiffusion3Pipeline", preset)
    recipe = f"{_recipe(preset, network, runs)}\n{_FLOW_TEXT}\n"
    return f"{opening}\n{_data(preset, 'MMDiT')}\n{recipe}\n{_quality(rows)}"


def turbo_card(preset: Preset, runs: list[Training], rows: dict[str, str]) -> str:
    """Write the card of emoji-turbo; arguments as for `unet_card`."""
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
base_model: emoji-unet
tags: [lora]
---
# emoji-turbo

emoji-unet in four steps without guidance: a LoRA in diffusers' format, for `TCDScheduler` at a guidance scale of 1.

`semguide` loads it by its name, with emoji-unet's other weights; its card tells of data and licence. In diffusers:
`pipe.load_lora_weights(FOLDER)` and `pipe.scheduler = TCDScheduler.from_config(pipe.scheduler.config)`.

{_FONT}

## Recipe

Distilled: from each step of 4 and of 8 the LoRA learns where the guided sampler would end ({preset.size}x{preset.size},
guidance scale 7). It keeps what emoji-unet does wrong.
Exported at commit {_commit()}.

{table(runs)}

{_quality(rows)}"""


def judge_card(preset: Preset, runs: list[Training], rows: dict[str, str]) -> str:
    """Write the card of emoji-judge; arguments as for `unet_card`."""
    return f"""# emoji-judge

A small detector of nouns, colours and boxes in {preset.size}x{preset.size} emoji scenes, trained on rendered scenes
only, never on generated pictures: crowded ones, half of them decoded by the autoencoder from noisy latents.

{_FONT}
Exported at commit {_commit()}.

{table(runs)}

{_quality(rows)}"""


def clip_card(preset: Preset, runs: list[Training], rows: dict[str, str]) -> str:
    """Write the card of emoji-clip; arguments as for `unet_card`."""
    return f"""# emoji-clip

How well a text fits a {preset.size}x{preset.size} emoji scene: CLIP, trained contrastively on rendered scenes and their
captions.

Here lie its image tower (convolutions, then four queries that look at every position), both projections and the
temperature. Its text tower is emoji-unet's text encoder, which must lie beside it; `config.json` holds the hash of
those weights. So what it says of emoji-unet's pictures comes from a reader of the prompt that emoji-unet shares.

{_data(preset, None)}
## Recipe

Symmetric InfoNCE, AdamW, averaged weights.
Exported at commit {_commit()}.

{table(runs)}

{_quality(rows)}"""


def _opening(name: str, family: str, pipeline: str, preset: Preset) -> str:
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
---
# {name}

A small {family} of emoji scenes, {preset.size}x{preset.size}, trained from nothing on pictures made on the
fly; it loads as `{pipeline}`.

It exists so that guidance can be tried, tested and measured without downloading anything. It is no substitute for a
real model, and what is measured on it is said to be measured on it.
"""


def _data(preset: Preset, denoiser: str | None) -> str:
    noise = asdict(Batches(preset.world, preset.size, 1).noise)
    drawn = f"- `World` of the {denoiser}: `{_world(preset.drawn_world)}`\n" if denoiser else ""
    return f"""## Data

Scenes of 1 to {len(preset.world.object_weights)} objects of {len(preset.world.nouns)} nouns in
{len(preset.world.colours)} colours, drawn by `semguide_emoji.scenes`. Captions are templated English and leave things
out, as captions on the web do.

- `World` of the autoencoder and CLIP: `{_world(preset.world)}`
{drawn}- `CaptionNoise`: `{json.dumps(noise)}`

{_FONT}
"""


def _recipe(preset: Preset, network: str, runs: list[Training]) -> str:
    return f"""## Recipe

AutoencoderKL (f = 8, {preset.latent_channels} latent channels), a CLIP text encoder trained contrastively and frozen,
{network}, AdamW, averaged weights.
Exported at commit {_commit()}.

{table(runs)}
"""


def _quality(rows: dict[str, str]) -> str:
    how = "Measured by `semguide train export`, where a row names no other command."
    lines = ["## Quality", "", how, "", "| quality | measured |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())]) + "\n"


def _world(world: World) -> str:
    return json.dumps({k: v for k, v in asdict(world).items() if not k.startswith("_")})


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
