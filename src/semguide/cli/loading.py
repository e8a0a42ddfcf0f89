"""The options that say how a model is loaded; the commands that load one share them."""

from __future__ import annotations

from typing import Annotated

import typer

from semguide.models.options import DTYPES, OFFLOADS, LoadOptions, absolute, parse_lora

Model = Annotated[
    str | None, typer.Option(help="Embedded name, diffusers folder, .safetensors file or hub id owner/name.")
]
Dtype = Annotated[str, typer.Option(help=f"Of all weights: {', '.join(DTYPES)}; auto: float32.")]
Variant = Annotated[str | None, typer.Option(help="Weights to load, as fp16 for *.fp16.safetensors.")]
Offload = Annotated[str, typer.Option(help=f"What waits on the CPU: {', '.join(OFFLOADS)}.")]
VaeTiling = Annotated[bool, typer.Option("--vae-tiling", help="Decode images in tiles, with less memory.")]
Loras = Annotated[list[str] | None, typer.Option("--lora", help="LoRA: PATH or PATH:SCALE (repeatable).")]
Embeddings = Annotated[list[str] | None, typer.Option("--embedding", help="Textual inversion (repeatable).")]
Scheduler = Annotated[str | None, typer.Option(help="Class in diffusers; default: the model's own.")]
Config = Annotated[str | None, typer.Option(help="Folder with the configuration of a single .safetensors file.")]


def load_options(
    dtype: str,
    variant: str | None,
    offload: str,
    vae_tiling: bool,
    loras: list[str] | None,
    embeddings: list[str] | None,
    scheduler: str | None,
    config: str | None,
) -> LoadOptions:
    """Read the options as they were typed; paths are made absolute.

    Raises:
        InvalidArgument: A value breaks a rule.
    """
    return LoadOptions(
        dtype=dtype,
        variant=variant,
        offload=offload,
        vae_tiling=vae_tiling,
        loras=tuple(map(parse_lora, loras or ())),
        embeddings=tuple(map(absolute, embeddings or ())),
        scheduler=scheduler,
        config=None if config is None else absolute(config),
    )
