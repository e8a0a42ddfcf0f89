"""Tiny video pipelines other than Wan: CogVideoX, Mochi, Allegro, SkyReels-V2 and HunyuanVideo."""

from __future__ import annotations

from typing import Any, cast

from support.tiny_checkpoint import tiny_tokenizer
from support.tiny_pipelines import quiet
from support.zoo import autoencoders, texts
from support.zoo.flow import FLOW
from support.zoo.tokenizers import byte_tokenizer
from support.zoo.weights import benign

TEMPLATE = {"template": "Describe the video: {}", "crop_start": 0}
"""A short prompt template for HunyuanVideo, whose own one is of 95 tokens."""
_VAE: dict[str, Any] = {
    "block_out_channels": (8,) * 4,
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 4,
}


def cogvideox(name: str = "CogVideoXPipeline", in_channels: int = 4) -> Any:
    """Build a pipeline of CogVideoX for 9 frames of 16x16; from images its transformer reads 8 channels."""
    import diffusers
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXTransformer3DModel

    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=in_channels,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=texts.DIM,
        num_layers=1,
        sample_width=2,
        sample_height=2,
        sample_frames=9,
        max_text_seq_length=48,
        use_rotary_positional_embeddings=True,
    )
    vae = AutoencoderKLCogVideoX(**_VAE)
    scheduler = CogVideoXDDIMScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    tokenizer = byte_tokenizer()
    return quiet(
        getattr(diffusers, name)(
            transformer=benign(transformer, 700),
            vae=benign(vae, 701),
            scheduler=scheduler,
            text_encoder=texts.t5(tokenizer, 702),
            tokenizer=tokenizer,
        )
    )


def mochi() -> Any:
    """Build a MochiPipeline for 7 frames of 16x16; its scheduler counts noise downwards from the picture."""
    from diffusers import AutoencoderKLMochi, FlowMatchEulerDiscreteScheduler, MochiPipeline, MochiTransformer3DModel

    transformer = MochiTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        text_embed_dim=texts.DIM,
        time_embed_dim=4,
        max_sequence_length=48,
    )
    small: Any = {"encoder_block_out_channels": (32,) * 4, "decoder_block_out_channels": (32,) * 4}
    tokenizer = byte_tokenizer()
    return quiet(
        MochiPipeline(
            transformer=benign(transformer, 710),
            vae=benign(AutoencoderKLMochi(layers_per_block=(1,) * 5, **small), 711),
            scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
            text_encoder=texts.t5(tokenizer, 712),
            tokenizer=tokenizer,
        )
    )


def allegro() -> Any:
    """Build an AllegroPipeline for 8 frames of 16x16."""
    from diffusers import AllegroPipeline, AllegroTransformer3DModel, AutoencoderKLAllegro, DDIMScheduler

    transformer = AllegroTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        cross_attention_dim=24,
        sample_width=2,
        sample_height=2,
        sample_frames=2,
        caption_channels=texts.DIM,
    )
    vae = AutoencoderKLAllegro(**_VAE)
    tokenizer = byte_tokenizer()
    return quiet(
        AllegroPipeline(
            transformer=benign(transformer, 720),
            vae=benign(vae, 721),
            scheduler=cast("Any", DDIMScheduler(clip_sample=False)),
            text_encoder=texts.t5(tokenizer, 722),
            tokenizer=tokenizer,
        )
    )


def skyreels(name: str = "SkyReelsV2Pipeline", in_channels: int = 4, **more: Any) -> Any:
    """Build a pipeline of SkyReels-V2 for 5 frames of 16x16."""
    import diffusers
    from diffusers import SkyReelsV2Transformer3DModel, UniPCMultistepScheduler

    transformer = SkyReelsV2Transformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=in_channels,
        out_channels=4,
        text_dim=texts.DIM,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        image_dim=16 if more else None,
        added_kv_proj_dim=24 if more else None,
    )
    tokenizer = byte_tokenizer()
    return quiet(
        getattr(diffusers, name)(
            transformer=benign(transformer, 730),
            scheduler=UniPCMultistepScheduler(**FLOW),
            vae=autoencoders.wan(4),
            text_encoder=texts.umt5(tokenizer, 731),
            tokenizer=tokenizer,
            **more,
        )
    )


def hunyuan_video(*, guidance_embeds: bool = False) -> Any:
    """Build a HunyuanVideoPipeline for 5 frames of 16x16; with `guidance_embeds` it takes a scale as input."""
    from diffusers import (
        AutoencoderKLHunyuanVideo,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideoPipeline,
        HunyuanVideoTransformer3DModel,
    )

    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=1,
        text_embed_dim=texts.DIM,
        pooled_projection_dim=texts.DIM,
        rope_axes_dim=(2, 4, 4),
        guidance_embeds=guidance_embeds,
    )
    vae = AutoencoderKLHunyuanVideo(**_VAE)
    first, second = byte_tokenizer(), tiny_tokenizer()
    return quiet(
        HunyuanVideoPipeline(
            transformer=benign(transformer, 740),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
            vae=benign(vae, 741),
            text_encoder=texts.llama(first, 742, layers=3).model,
            tokenizer=cast("Any", first),
            text_encoder_2=texts.clip(second, 743, projection=False),
            tokenizer_2=second,
        )
    )
