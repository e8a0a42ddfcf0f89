"""Tiny pipelines of Bria, LongCat-Image, Sana with ControlNet, Kandinsky 5 and Cosmos."""

from __future__ import annotations

import sys
from typing import Any, cast

from support.tiny.autoencoders import autoencoder
from support.tiny.pipelines import tiny, without_ftfy
from support.tiny.schedulers import FLOW
from support.tiny.stable_diffusion import quiet
from support.tiny.texts import DIM, clip, qwen2_vl, t5
from support.tiny.tokenizers import Processor, word_tokenizer
from support.tiny.weights import benign

KANDINSKY_TEMPLATE = "<|im_start|>user\n{}<|im_end|>"
"""A short prompt template for Kandinsky 5, whose own ones are of 41 and 129 tokens."""


def bria() -> Any:
    """Build a BriaPipeline for 16x16 images."""
    from diffusers import BriaPipeline, BriaTransformer2DModel, FlowMatchEulerDiscreteScheduler

    axes: Any = (4, 4, 8)
    transformer = BriaTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=DIM,
        axes_dims_rope=axes,
    )
    encoder, tokenizer = t5(821)
    return quiet(
        BriaPipeline(
            transformer=benign(transformer, 820),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoder(latent_channels=4),
            text_encoder=encoder,
            tokenizer=cast("Any", tokenizer),
        )
    )


def longcat() -> Any:
    """Build a LongCatImagePipeline for 16x16 images, whose latents have 16 channels whatever its transformer has."""
    from diffusers import FlowMatchEulerDiscreteScheduler, LongCatImagePipeline, LongCatImageTransformer2DModel

    axes: Any = (4, 4, 8)
    transformer = LongCatImageTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=axes,
    )
    encoder, tokenizer = qwen2_vl(831)
    pipe = LongCatImagePipeline(
        transformer=benign(transformer, 830),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=autoencoder(latent_channels=16),
        text_encoder=encoder,
        tokenizer=tokenizer,
        text_processor=cast("Any", Processor(tokenizer)),
    )
    pipe.tokenizer_max_length = 64  # every prompt is padded to it
    return quiet(pipe)


def sana_control() -> Any:
    """Build a SanaControlNetPipeline."""
    from diffusers import SanaControlNetModel, SanaControlNetPipeline

    pipe = tiny("SanaPipeline")
    config = pipe.transformer.config
    kept = (
        *("in_channels", "out_channels", "num_attention_heads", "attention_head_dim", "num_cross_attention_heads"),
        *("cross_attention_head_dim", "cross_attention_dim", "caption_channels", "sample_size", "patch_size"),
    )
    control = SanaControlNetModel(num_layers=1, **{name: config[name] for name in kept})
    return quiet(SanaControlNetPipeline(**pipe.components, controlnet=benign(control, 840)))


def kandinsky5(name: str = "Kandinsky5T2IPipeline", vae: Any = None, *, visual_cond: bool = False) -> Any:
    """Build a pipeline of Kandinsky 5; an image for its smallest size, 16x16."""
    import diffusers
    from diffusers import FlowMatchEulerDiscreteScheduler, Kandinsky5Transformer3DModel

    transformer = Kandinsky5Transformer3DModel(
        in_visual_dim=4,
        out_visual_dim=4,
        in_text_dim=16,
        in_text_dim2=DIM,
        time_dim=16,
        model_dim=32,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=1,
        axes_dims=(4, 6, 6),
        visual_cond=visual_cond,
    )
    (encoder, first), (second_encoder, second) = qwen2_vl(851), clip(852, projection=False)
    kind = getattr(diffusers, name)
    without_ftfy(sys.modules[kind.__module__])
    pipe = kind(
        transformer=benign(transformer, 850),
        vae=autoencoder(latent_channels=4) if vae is None else vae,
        text_encoder=encoder,
        tokenizer=Processor(first),
        text_encoder_2=second_encoder,
        tokenizer_2=second,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
    )
    pipe.resolutions = [(16, 16)]
    pipe.prompt_template, pipe.prompt_template_encode_start_idx = KANDINSKY_TEMPLATE, 2
    return quiet(pipe)


class Unchecked:
    """A safety checker that finds everything safe."""

    def to(self, device: Any) -> Unchecked:
        """Stay where it is."""
        del device
        return self

    def check_text_safety(self, prompt: str) -> bool:
        """Find a prompt safe."""
        return bool(prompt) or True

    def check_video_safety(self, frames: Any) -> Any:
        """Find a video safe."""
        return frames


def cosmos(name: str = "Cosmos2TextToImagePipeline", channels: int = 4, text_dim: int = DIM, **parts: Any) -> Any:
    """Build a pipeline of Cosmos for 16x16."""
    import diffusers
    from diffusers import CosmosTransformer3DModel, EDMEulerScheduler, FlowMatchEulerDiscreteScheduler

    transformer = CosmosTransformer3DModel(
        in_channels=channels,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=1,
        mlp_ratio=2,
        text_embed_dim=text_dim,
        adaln_lora_dim=4,
        max_size=(4, 32, 32),
        concat_padding_mask=False,  # it is resized with torchvision
        extra_pos_embed_type="learnable" if name == "CosmosTextToWorldPipeline" else None,
    )
    encoder, tokenizer = t5(861)
    scheduler: Any = FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True)
    if name == "CosmosTextToWorldPipeline":
        scheduler = EDMEulerScheduler(
            sigma_min=0.002,
            sigma_max=80,
            sigma_data=0.5,
            sigma_schedule="karras",
            prediction_type="epsilon",
            final_sigmas_type="sigma_min",
        )
    given = {
        "transformer": benign(transformer, 860),
        "vae": autoencoder("AutoencoderKLWan"),
        "text_encoder": encoder,
        "tokenizer": tokenizer,
        "scheduler": scheduler,
        "safety_checker": Unchecked(),
    }
    return quiet(getattr(diffusers, name)(**{**given, **parts}))


def cosmos_video() -> Any:
    """Build a CosmosTextToWorldPipeline, whose autoencoder only names its compression and scales here."""
    from diffusers import AutoencoderKLCosmos

    vae = AutoencoderKLCosmos(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        encoder_block_out_channels=(8, 8, 8, 8),
        decode_block_out_channels=(8, 8, 8, 8),
        attention_resolutions=(8,),
        resolution=64,
        num_layers=1,
        patch_size=4,
        patch_type="haar",
        scaling_factor=1.0,
        spatial_compression_ratio=4,
        temporal_compression_ratio=4,
    )
    return cosmos("CosmosTextToWorldPipeline", vae=benign(vae, 862))


def cosmos_2_5() -> Any:
    """Build a Cosmos2_5_PredictBasePipeline, which reads a mask and the prompt through a Qwen2.5-VL."""
    from diffusers import UniPCMultistepScheduler

    known = "system\nYou are a helpful assistant who will provide prompts to an image generator.\nuser\n"
    chat = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content[0].text }}<|im_end|>\n{% endfor %}"
    special = ("<|endoftext|>", "<|im_start|>", "<|image_pad|>", "<|im_end|>")
    tokenizer = word_tokenizer(known, special, chat_template=chat)
    parts = {"text_encoder": qwen2_vl(863, tokenizer)[0], "tokenizer": tokenizer}
    scheduler = UniPCMultistepScheduler(**{**FLOW, "flow_shift": 5.0})
    return cosmos("Cosmos2_5_PredictBasePipeline", 5, 32, scheduler=scheduler, **parts)
