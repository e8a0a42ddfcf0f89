"""Configure a pipeline whose weights are loaded: adapters, scheduler, tiling, device."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models.options import LoadOptions


def fuse_lora(pipe: Any, file: Path) -> None:
    """Make a LoRA of the denoiser a part of its weights."""
    name = "unet" if hasattr(pipe, "unet") else "transformer"
    denoiser = getattr(pipe, name)
    denoiser.load_lora_adapter(str(file.parent), prefix=name, weight_name=file.name, local_files_only=True)
    denoiser.fuse_lora()
    denoiser.unload_lora()


def load_adapters(pipe: Any, options: LoadOptions) -> None:
    """Load LoRAs, all active at their scales, and textual inversions.

    Raises:
        InvalidArgument: One does not fit the checkpoint.
    """
    scales = {f"semguide{index}": lora for index, lora in enumerate(options.loras)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`", UserWarning)  # several are asked for
        for name, lora in scales.items():
            _load_lora(pipe, Path(lora.path), name)
    if scales:
        pipe.set_adapters(list(scales), [lora.scale for lora in scales.values()])
    for path in options.embeddings:
        _load_embedding(pipe, Path(path))


def _load_lora(pipe: Any, file: Path, name: str) -> None:
    try:
        pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=name, local_files_only=True)
        fits = any(name in names for names in pipe.get_list_adapters().values())
    except (ValueError, RuntimeError, KeyError, IndexError, TypeError) as error:
        raise _misfit("loras", file, str(error)) from error
    if not fits:
        raise _misfit("loras", file, "no layer of it is one of the checkpoint's")


def _load_embedding(pipe: Any, file: Path) -> None:
    """Load a textual inversion; a file with clip_l and clip_g has one for each of SDXL's text encoders."""
    import safetensors.torch

    tensors = safetensors.torch.load_file(file)
    parts = {"clip_l": ("text_encoder", "tokenizer"), "clip_g": ("text_encoder_2", "tokenizer_2")}
    try:
        if set(parts) <= set(tensors):
            for key, (encoder, tokenizer) in parts.items():
                given = {"text_encoder": getattr(pipe, encoder), "tokenizer": getattr(pipe, tokenizer)}
                pipe.load_textual_inversion(tensors[key], token=file.stem, **given)
        else:
            token = file.stem if "emb_params" in tensors else None  # a file of diffusers has the token as its key
            pipe.load_textual_inversion(tensors, token=token)
    except (ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise _misfit("embeddings", file, str(error)) from error


def _misfit(argument: str, file: Path, reason: str) -> InvalidArgument:
    rule = f"must be made for the checkpoint's own family, which it is not ({' '.join(reason.split())[:300]})"
    return InvalidArgument(argument, rule, file, "choose one for this {model}")


def switch_scheduler(pipe: Any, name: str | None) -> None:
    """Put another scheduler in, with the configuration of the pipeline's own."""
    import diffusers

    if name is not None:
        pipe.scheduler = getattr(diffusers, name).from_config(pipe.scheduler.config)


def place(pipe: Any, options: LoadOptions, device: str) -> Any:
    """Put a pipeline on a device, or let it load its parts there when they are needed; returns the pipeline."""
    import torch

    if options.vae_tiling:
        pipe.vae.enable_tiling()
    if options.offload == "none":
        return pipe.to(device)
    if options.offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif options.offload == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    else:
        pipe.enable_group_offload(onload_device=torch.device(device), offload_type="leaf_level")
    return pipe
