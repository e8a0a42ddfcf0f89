"""The components of tiny pipelines that make videos: 5 frames of 16x16 where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.tiny.autoencoders import autoencoder
from support.tiny.components import Make, Parts, components
from support.tiny.denoisers import denoiser
from support.tiny.schedulers import FLOW, VELOCITY, flow, scheduler
from support.tiny.texts import DIM, clip, decoder, qwen2_vl, t5, umt5
from support.tiny.tokenizers import PAD, byte_tokenizer, chat_tokenizer
from support.tiny.weights import benign

TEMPLATE = {"template": "Describe the video: {}", "crop_start": 0}
"""A short prompt template for HunyuanVideo, whose own one is of 95 tokens."""


def _wan(**transformers: Any) -> Parts:
    vae = autoencoder("AutoencoderKLWan")
    transformer = transformers.pop("transformer", None) or denoiser("WanTransformer3DModel", 40)
    return components(transformer, scheduler("UniPCMultistepScheduler", **FLOW), vae, umt5(41), **transformers)


def _wan_image() -> Parts:
    """Return those of Wan 2.1 from images, which it also reads through CLIP."""
    return _wan(transformer=denoiser("WanTransformer3DModel", 45, in_channels=12, **_SEEING), **eyes())


def _wan_animate_2() -> Parts:
    """Return those of Wan-Animate 2, which reads a picture of a character and a video of another."""
    from diffusers.models.transformers import transformer_wan_animate_2
    from transformers import CLIPVisionConfig, CLIPVisionModel

    transformer_wan_animate_2.create_block_mask = _block_mask
    size: Any = {"hidden_size": 1280, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**size, patch_size=112)
    transformer = denoiser("WanAnimate2Transformer3DModel", 420)
    return {
        **_wan(transformer=transformer, image_encoder=benign(CLIPVisionModel(vision), 421)),
        "scheduler": flow(shift=3.0),
    }


def _block_mask(*args: Any, _compile: bool = False, **options: Any) -> Any:
    """Make the mask of flex attention without a compiler, for which PyTorch has a warning and a CPU no need."""
    from torch.nn.attention.flex_attention import create_block_mask

    return create_block_mask(*args, **options)


_SEEING: dict[str, Any] = {"image_dim": 16, "added_kv_proj_dim": 24}


def eyes() -> Parts:
    """Return what reads images for a transformer."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    size: Any = {"image_size": 16, "patch_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = CLIPVisionConfig(hidden_size=16, intermediate_size=16, projection_dim=16, **size)
    edge: Any = {"height": 16, "width": 16}
    return {
        "image_encoder": benign(CLIPVisionModel(vision), 46),
        "image_processor": CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=edge),
    }


def _skyreels(**changes: Any) -> Parts:
    return components(
        denoiser("SkyReelsV2Transformer3DModel", 730, **changes),
        scheduler("UniPCMultistepScheduler", **FLOW),
        autoencoder("AutoencoderKLWan"),
        umt5(731),
    )


def _cogvideox(**changes: Any) -> Parts:
    """Return those of CogVideoX for 9 frames."""
    return components(
        denoiser("CogVideoXTransformer3DModel", 700, **changes),
        scheduler("CogVideoXDDIMScheduler", **VELOCITY),
        autoencoder("AutoencoderKLCogVideoX", 701),
        t5(702),
    )


def _helios(stages: int = 1) -> Parts:
    """Return Helios'; with several stages those of its pyramid."""
    return components(
        denoiser("HeliosTransformer3DModel", 400),
        scheduler("HeliosScheduler", stages=stages, gamma=0.25),  # 1/3: a covariance that is singular in float32
        autoencoder("AutoencoderKLWan"),
        umt5(401),
    )


def _hunyuan_video_1_5() -> Parts:
    """Return those of HunyuanVideo 1.5; its pipeline reads short texts and few tokens of an image."""
    from diffusers.modular_pipelines.hunyuan_video1_5.modular_pipeline import HunyuanVideo15ModularPipeline

    short = {"system_message": "describe", "prompt_template_encode_start_idx": 11, "tokenizer_max_length": 48}
    for name, value in {**short, "tokenizer_2_max_length": 16, "vision_num_semantic_tokens": 4}.items():
        setattr(HunyuanVideo15ModularPipeline, name, value)
    return components(
        denoiser("HunyuanVideo15Transformer3DModel", 410),
        flow(shift=5.0),
        autoencoder("AutoencoderKLHunyuanVideo15", 413),
        qwen2_vl(411, chat_tokenizer("system\nuser\nassistant\n", PAD), layers=3, part="model.language_model"),
        t5(412),
    )


def _motif_video(**changes: Any) -> Parts:
    """Return Motif-Video's, with a T5 in the place of T5Gemma 2."""
    from diffusers import ClassifierFreeGuidance

    encoder, tokenizer = t5(431)
    encoder.vision_tower = None
    return components(
        denoiser("MotifVideoTransformer3DModel", 430, **changes),
        flow(shift=3.0),
        autoencoder("AutoencoderKLWan"),
        (encoder, tokenizer),
        guider=ClassifierFreeGuidance(guidance_scale=4.0),
        feature_extractor=None,
    )


def image_tokens(**given: Any) -> Any:
    """Return two tokens in the place of what Motif-Video's image encoder makes of an image."""
    import torch

    return torch.linspace(-1, 1, 16).reshape(1, 2, 8)


def _ltx2() -> Parts:
    """Return LTX-2's without what decodes; the sound has diffusers' own guider."""
    from diffusers.guiders import LTX2Guidance
    from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors

    size = {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 1, "num_learnable_registers": 16}
    each: Any = {f"{kind}_connector_{name}": value for kind in ("video", "audio") for name, value in size.items()}
    connectors = LTX2TextConnectors(caption_channels=DIM, text_proj_in_factor=3, **each)
    return components(
        denoiser("LTX2VideoTransformer3DModel", 500),
        flow(),
        None,
        decoder("Gemma2Model", 501, byte_tokenizer(), query_pre_attn_scalar=8),
        connectors=benign(connectors, 502),
        audio_vae=autoencoder("AutoencoderKLLTX2Audio", 503),
        audio_guider=LTX2Guidance(guidance_scale=4.0),
    )


VIDEOS: Mapping[str, Make] = {
    "WanPipeline": _wan,
    # One transformer for high and one for low noise.
    "Wan22Blocks": lambda: _wan(transformer_2=denoiser("WanTransformer3DModel", 43)),
    "WanImage2VideoAutoBlocks": _wan_image,
    # Transformers that also read a mask and an image.
    "Wan22Image2VideoBlocks": lambda: _wan(
        **{name: denoiser("WanTransformer3DModel", 44, in_channels=12) for name in ("transformer", "transformer_2")}
    ),
    # Transformers that read a video to be changed.
    "Wan22VaceBlocks": lambda: _wan(
        transformer=denoiser("WanVACETransformer3DModel", 47), transformer_2=denoiser("WanVACETransformer3DModel", 48)
    ),
    "WanAnimate2Blocks": _wan_animate_2,
    "SkyReelsV2Pipeline": _skyreels,
    "SkyReelsV2ImageToVideoPipeline": lambda: {**_skyreels(in_channels=12, **_SEEING), **eyes()},
    "CogVideoXPipeline": _cogvideox,
    "CogVideoXImageToVideoPipeline": lambda: _cogvideox(in_channels=8),
    "MochiPipeline": lambda: components(  # 7 frames; its scheduler counts noise downwards from the picture
        denoiser("MochiTransformer3DModel", 710),
        flow(shift=1.0, invert_sigmas=True),
        autoencoder("AutoencoderKLMochi", 711),
        t5(712),
    ),
    "AllegroPipeline": lambda: components(  # 8 frames
        denoiser("AllegroTransformer3DModel", 720),
        scheduler("DDIMScheduler", clip_sample=False),
        autoencoder("AutoencoderKLAllegro", 721),
        t5(722),
    ),
    "HunyuanVideoPipeline": lambda: components(
        denoiser("HunyuanVideoTransformer3DModel", 740),
        flow(shift=7.0),
        autoencoder("AutoencoderKLHunyuanVideo", 741),
        decoder("LlamaForCausalLM", 742, part="model", num_hidden_layers=3),
        clip(743, projection=False),
    ),
    "HunyuanVideo15AutoBlocks": _hunyuan_video_1_5,
    "HeliosAutoBlocks": _helios,
    "HeliosPyramidAutoBlocks": lambda: _helios(stages=3),
    "MotifVideoPipeline": _motif_video,
    "MotifVideoImage2VideoPipeline": lambda: _motif_video(image_embed_dim=8),
    "LTXAutoBlocks": lambda: components(
        denoiser("LTXVideoTransformer3DModel", 200), flow(), autoencoder("AutoencoderKLLTXVideo", 202), t5(201)
    ),
    "LTX2AutoBlocks": _ltx2,
}
"""What makes the components of a pipeline, by its class in diffusers or that of its blocks."""
