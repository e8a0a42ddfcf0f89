"""SDXL, SD3, Flux and Wan of the real classes and sizes, with random weights made on the device; tiny ones as toys.

Text encoders have the real widths and two layers, SD3 goes without its T5, Wan is the small one of 1.3 billion. The
autoencoders are only there to be asked for their scale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

FAMILIES = ("sdxl", "sd3", "flux", "wan")

_UNET: dict[str, Any] = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "addition_embed_type": "text_time",
    "use_linear_projection": True,
}
_REAL: dict[str, dict[str, Any]] = {
    "sdxl": {
        **_UNET,
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "cross_attention_dim": 2048,
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 6 * 256 + 1280,
    },
    "sd3": {
        "num_layers": 24,
        "num_attention_heads": 24,
        "caption_projection_dim": 1536,
        "pos_embed_max_size": 192,
    },
    "flux": {},
    "wan": {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
}
_TOY: dict[str, dict[str, Any]] = {
    "sdxl": {
        **_UNET,
        "sample_size": 8,
        "block_out_channels": (16, 32, 32),
        "attention_head_dim": (2, 4, 4),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "cross_attention_dim": 64,
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
    "sd3": {
        "sample_size": 8,
        "num_layers": 2,
        "num_attention_heads": 4,
        "attention_head_dim": 8,
        "caption_projection_dim": 32,
        "joint_attention_dim": 64,
        "pooled_projection_dim": 64,
    },
    "flux": {
        "in_channels": 16,
        "num_layers": 1,
        "num_single_layers": 1,
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "joint_attention_dim": 64,
        "pooled_projection_dim": 32,
        "axes_dims_rope": (4, 4, 8),
    },
    "wan": {
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "text_dim": 64,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 1,
    },
}


def denoiser(family: str, device: torch.device, *, toy: bool) -> Any:
    """Build the denoiser of a family."""
    from diffusers import FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel, WanTransformer3DModel

    classes = (UNet2DConditionModel, SD3Transformer2DModel, FluxTransformer2DModel, WanTransformer3DModel)
    kind: Any = classes[FAMILIES.index(family)]
    return random_weights(lambda: kind(**(_TOY if toy else _REAL)[family]), device)


def random_weights(make: Callable[[], Any], device: torch.device) -> Any:
    """Make a module in bfloat16, on the device from the start."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            module = make()
    finally:
        torch.set_default_dtype(torch.float32)
    return module.to(device, torch.bfloat16).eval().requires_grad_(False)


def pipeline(family: str, device: torch.device, *, toy: bool) -> Any:
    """Build the pipeline of SDXL or SD3."""
    from diffusers import (
        EulerDiscreteScheduler,
        FlowMatchEulerDiscreteScheduler,
        StableDiffusion3Pipeline,
        StableDiffusionXLPipeline,
    )

    tokenizer, widths = byte_tokenizer(), (32, 32) if toy else (768, 1280)
    parts: dict[str, Any] = {
        "vae": random_weights(autoencoder, device),
        "tokenizer": tokenizer,
        "tokenizer_2": tokenizer,
        "text_encoder": random_weights(lambda: text_encoder(tokenizer, widths[0], projected=family == "sd3"), device),
        "text_encoder_2": random_weights(lambda: text_encoder(tokenizer, widths[1], projected=True), device),
    }
    if family == "sdxl":
        parts |= {"unet": denoiser(family, device, toy=toy), "add_watermarker": False}
        parts["scheduler"] = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
        pipe: Any = StableDiffusionXLPipeline(**parts)
    else:
        parts |= {"transformer": denoiser(family, device, toy=toy), "text_encoder_3": None, "tokenizer_3": None}
        pipe = StableDiffusion3Pipeline(**parts, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def autoencoder() -> Any:
    """Build an autoencoder whose latents are an eighth of the picture's size."""
    from diffusers import AutoencoderKL

    blocks: dict[str, Any] = {
        "block_out_channels": (8,) * 4,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    return AutoencoderKL(norm_num_groups=4, latent_channels=4, **blocks)


def text_encoder(tokenizer: Any, width: int, *, projected: bool) -> Any:
    """Build a CLIP text encoder of two layers."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    end = tokenizer.eos_token_id
    options: dict[str, Any] = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end}
    options |= {"hidden_size": width, "projection_dim": width, "intermediate_size": width}
    options |= {"num_hidden_layers": 2, "num_attention_heads": max(1, width // 64)}
    kind: Any = CLIPTextModelWithProjection if projected else CLIPTextModel
    return kind(CLIPTextConfig(vocab_size=end + 1, **options))


def byte_tokenizer() -> Any:
    """Build a CLIP tokenizer that knows single bytes."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=77)


def one_evaluation(family: str, device: torch.device, *, toy: bool) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return latents and the other arguments of one evaluation: 1024x1024, for Wan 81 frames of 832x480."""

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=torch.bfloat16)

    side, tokens, width = (8, 16, 64) if toy else (128, 512, 4096)
    pooled = random(1, 32 if toy else {"sdxl": 1280, "sd3": 2048}.get(family, 768))
    others: dict[str, Any] = {"timestep": torch.full((1,), 500.0, device=device)}
    if family == "sdxl":
        others["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": random(1, 6)}
        return random(1, 4, side, side), {**others, "encoder_hidden_states": random(1, 77, 64 if toy else 2048)}
    others["encoder_hidden_states"] = random(1, tokens, width)
    if family == "wan":
        return random(1, 16, *((2, 4, 4) if toy else (21, 60, 104))), others
    patches = side * side // 4
    ids = {"img_ids": random(patches, 3), "txt_ids": random(tokens, 3)}
    return random(1, patches, 16 if toy else 64), {**others, **ids, "pooled_projections": pooled}
