"""Model cards of the embedded checkpoints: data, recipe, commit, measured quality, licence of the drawings."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from semguide.scenes import World
from semguide.training.data import Batches
from semguide.training.loop import STATE, read_note
from semguide.training.recipes import Preset, made

_FONT = """The drawings come from Noto Color Emoji (Copyright Google), licensed under the SIL Open Font License 1.1;
the bench is our own."""


def unet_card(preset: Preset, folder: Path, rows: dict[str, str]) -> str:
    """Write the card of emoji-unet.

    Args:
        preset: What the set was trained with.
        folder: The trained set, with the states of its runs under `training`.
        rows: Quality -> value.

    Raises:
        InvalidArgument: The state of a run is missing.
    """
    noise = asdict(Batches(preset.world, preset.size, 1).noise)
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
---
# emoji-unet

A small Stable Diffusion of emoji scenes, {preset.size}x{preset.size}, trained from nothing on pictures made on the
fly; it loads as `StableDiffusionPipeline`.

It exists so that guidance can be tried, tested and measured without downloading anything. It is no substitute for a
real model, and what is measured on it is said to be measured on it.

## Data

Scenes of 1 to {len(preset.world.object_weights)} objects of {len(preset.world.nouns)} nouns in
{len(preset.world.colours)} colours, drawn by `semguide.scenes`. Captions are templated English and leave things out,
as captions on the web do.

- `World` of the autoencoder and CLIP: `{_world(preset.world)}`
- `World` of the U-Net: `{_world(preset.drawn_world)}`
- `CaptionNoise`: `{json.dumps(noise)}`

{_FONT}

## Recipe

AutoencoderKL (f = 8, {preset.latent_channels} latent channels), a CLIP text encoder trained contrastively and frozen,
UNet2DConditionModel {preset.unet_channels}, eps prediction, AdamW, averaged weights.
Exported at commit {_commit()}.

{_runs(folder, ("vae", "clip", "unet", "decoder"))}
{_notes(folder)}
## Quality

{_table(rows)}
"""


def _world(world: World) -> str:
    return json.dumps({k: v for k, v in asdict(world).items() if not k.startswith("_")})


def _notes(folder: Path) -> str:
    """What the trainer wrote down about these runs, if anything."""
    notes = folder / "training" / "NOTES.md"
    return f"\n{notes.read_text(encoding='utf-8').strip()}\n" if notes.exists() else ""


def judge_card(preset: Preset, folder: Path, rows: dict[str, str]) -> str:
    """Write the card of emoji-judge; arguments and errors as for `unet_card`."""
    return f"""# emoji-judge

A small detector of nouns, colours and boxes in {preset.size}x{preset.size} emoji scenes, trained on rendered scenes
only, never on generated pictures.

{_FONT}
Exported at commit {_commit()}.

{_runs(folder, ("judge",))}

## Quality

{_table({name: value for name, value in rows.items() if "judge" in name.lower()})}
"""


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _runs(folder: Path, names: tuple[str, ...]) -> str:
    """Tabulate what was trained for how long; the decoder's run may be missing."""
    lines = ["| recipe | steps | batch | learning rate | minutes | device |", "|---|---|---|---|---|---|"]
    for name in names:
        run = folder / "training" / name
        if name == "decoder" and not run.exists():
            continue
        note = read_note(made(run / STATE, name))
        settings = json.loads((run / "settings.json").read_text(encoding="utf-8"))
        lines.append(
            f"| `semguide train {name}` | {note['step']} | {settings['batch_size']} | {settings['learning_rate']} "
            f"| {note['seconds'] / 60:.0f} | {settings['device']} |"
        )
    return "\n".join(lines)


def _table(rows: dict[str, str]) -> str:
    head = ["| quality | measured |", "|---|---|"]
    return "\n".join([*head, *(f"| {name} | {value} |" for name, value in rows.items())])
