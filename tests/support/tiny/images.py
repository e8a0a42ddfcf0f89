"""The components of tiny pipelines that make images."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from support.tiny.autoencoders import autoencoder
from support.tiny.components import Make, Parts, components
from support.tiny.denoisers import DEEP_FLOYD, SDXL, denoiser
from support.tiny.schedulers import FLOW, VELOCITY, flow, scheduler
from support.tiny.stable_diffusion import tiny_sdxl, tiny_stable_diffusion
from support.tiny.texts import DIM, chat_glm, clip, decoder, qwen2_vl, qwen3_vl, t5, umt5
from support.tiny.tokenizers import Processor, byte_tokenizer, chat_tokenizer, gemma_tokenizer
from support.tiny.weights import benign

_LUMINA = (
    "You are an assistant designed to generate superior images with the superior degree of image-text alignment "
    "based on textual prompts or user prompts. <Prompt Start> "
)
_OVIS = (
    "user\nassistant\nDescribe the image by detailing the color, quantity, text, shape, size, texture, spatial "
    "relationships of the objects and background: "
)


def _benign(pipe: Any) -> Parts:
    for seed, name in enumerate(("unet", "vae", "text_encoder", "text_encoder_2")):
        if getattr(pipe, name, None) is not None:
            benign(getattr(pipe, name), seed)
    return pipe.components


def _kolors() -> Parts:
    """Return those of an SDXL whose text encoder is a ChatGLM."""
    import pytest

    pytest.importorskip("sentencepiece", reason="diffusers has Kolors with sentencepiece only")
    parts = tiny_sdxl().components
    unet = denoiser("UNet2DConditionModel", 600, **SDXL, encoder_hid_dim=DIM, encoder_hid_dim_type="text_proj")
    return components(unet, parts["scheduler"], benign(parts["vae"], 601), chat_glm(602))


def _pixart(**changes: Any) -> Parts:
    transformer = denoiser("PixArtTransformer2DModel", 50, **changes)
    return components(transformer, scheduler("DDIMScheduler", clip_sample=False), autoencoder(), t5(51))


def _sana() -> Parts:
    """Return Sana's; its tokenizer has words of the long instruction that comes before each prompt."""
    from diffusers import SanaPipeline

    instruction = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default
    return components(
        denoiser("SanaTransformer2DModel", 60),
        scheduler("DPMSolverMultistepScheduler", **FLOW),
        autoencoder("AutoencoderDC"),
        decoder("Gemma2Model", 61, gemma_tokenizer("\n".join(instruction)), query_pre_attn_scalar=8),
    )


def _cogview4() -> Parts:
    tokenizer = byte_tokenizer()
    tokenizer.padding_side = "left"
    return components(
        denoiser("CogView4Transformer2DModel", 100),
        flow(base_shift=0.25, max_shift=0.75, time_shift_type="linear"),
        autoencoder(),
        decoder("GlmModel", 101, tokenizer),
    )


def _hunyuan_image() -> Parts:
    """Return HunyuanImage's, whose guidance is a guider of diffusers."""
    from diffusers import ClassifierFreeGuidance

    return components(
        denoiser("HunyuanImageTransformer2DModel", 120),
        flow(shift=5.0),
        autoencoder("AutoencoderKLHunyuanImage"),
        qwen2_vl(121, layers=3),
        t5(122),
        guider=ClassifierFreeGuidance(guidance_scale=4.0),
        ocr_guider=ClassifierFreeGuidance(guidance_scale=4.0),
    )


def _nucleus() -> Parts:
    encoder, tokenizer = qwen3_vl(641)
    transformer = denoiser("NucleusMoEImageTransformer2DModel", 640)
    more = {"text_encoder": encoder, "processor": Processor(tokenizer)}
    return components(transformer, flow(), autoencoder("AutoencoderKLQwenImage"), **more)


def _deep_floyd() -> Parts:
    """Return IF's, which denoises pixels."""
    dpm = scheduler("DPMSolverMultistepScheduler", beta_schedule="squaredcos_cap_v2", variance_type="learned_range")
    none = dict.fromkeys(("safety_checker", "feature_extractor", "watermarker"))
    return components(denoiser("UNet2DConditionModel", 500, **DEEP_FLOYD), dpm, None, t5(501), **none)


def _anima() -> Parts:
    """Return Anima's: Qwen3's states are read by a conditioner that also reads T5's tokens."""
    from diffusers import AnimaTextConditioner

    tokenizer = byte_tokenizer()
    conditioner = AnimaTextConditioner(
        source_dim=DIM,
        target_dim=16,
        model_dim=16,
        num_layers=1,
        num_attention_heads=2,
        target_vocab_size=len(tokenizer),
        min_sequence_length=32,
    )
    return components(
        denoiser("CosmosTransformer3DModel", 300),
        flow(shift=3.0),
        autoencoder("AutoencoderKLQwenImage"),
        decoder("Qwen3Model", 301),
        t5_tokenizer=tokenizer,
        text_conditioner=benign(conditioner, 302),
    )


def _flux3() -> Parts:
    """Return FLUX.3's, without the model that rewrites prompts."""
    encoder, tokenizer = qwen3_vl(321)
    text = (encoder, Processor(tokenizer))
    return components(denoiser("Flux3Transformer2DModel", 320), flow(shift=3.0), _flux2_vae(), text)


def _qwen_image_2_1() -> Parts:
    encoder, tokenizer = qwen3_vl(331)
    transformer, vae = denoiser("QwenImage21Transformer2DModel", 330), autoencoder("AutoencoderKLQwenImage21", 332)
    return components(transformer, flow(), vae, text_encoder=encoder, processor=Processor(tokenizer))


def _flux2_vae() -> Any:
    return autoencoder("AutoencoderKLFlux2", 212)


IMAGES: Mapping[str, Make] = {
    "StableDiffusionPipeline": lambda: _benign(tiny_stable_diffusion()),
    "StableDiffusionXLPipeline": lambda: _benign(tiny_sdxl()),
    "StableDiffusionXLAutoBlocks": lambda: tiny_sdxl().components,
    "KolorsPipeline": _kolors,
    "StableDiffusion3Pipeline": lambda: components(
        denoiser("SD3Transformer2DModel", 10),
        flow(shift=3.0),
        autoencoder(latent_channels=16),
        clip(11, projection=True),
        clip(12, projection=True),
        t5(13, d_model=64),
    ),
    "FluxPipeline": lambda: components(
        denoiser("FluxTransformer2DModel", 20), flow(), autoencoder(), clip(21, projection=False), t5(22)
    ),
    "ChromaPipeline": lambda: components(denoiser("ChromaTransformer2DModel", 620), flow(), autoencoder(), t5(621)),
    "OvisImagePipeline": lambda: components(
        denoiser("OvisImageTransformer2DModel", 630),
        flow(),
        autoencoder(),
        decoder("Qwen3Model", 631, chat_tokenizer(_OVIS)),
    ),
    "QwenImagePipeline": lambda: components(
        denoiser("QwenImageTransformer2DModel", 30), flow(), autoencoder("AutoencoderKLQwenImage"), qwen2_vl(31)
    ),
    "NucleusMoEImagePipeline": _nucleus,
    # The pipeline gives the conditions to this size only.
    "PixArtAlphaPipeline": lambda: _pixart(sample_size=128, use_additional_conditions=True),
    "PixArtSigmaPipeline": _pixart,
    "SanaPipeline": _sana,
    "AuraFlowPipeline": lambda: components(
        denoiser("AuraFlowTransformer2DModel", 70), flow(shift=1.7), autoencoder(), umt5(71)
    ),
    "HiDreamImagePipeline": lambda: components(
        denoiser("HiDreamImageTransformer2DModel", 80),
        flow(shift=3.0),
        autoencoder(),
        clip(81, projection=True),
        clip(82, projection=True),
        t5(83),
        decoder("LlamaForCausalLM", 84),
    ),
    "Lumina2Pipeline": lambda: components(
        denoiser("Lumina2Transformer2DModel", 90),
        flow(shift=6.0),
        autoencoder(),
        decoder("Gemma2Model", 91, gemma_tokenizer(_LUMINA), query_pre_attn_scalar=8),
    ),
    "CogView3PlusPipeline": lambda: components(
        denoiser("CogView3PlusTransformer2DModel", 610),
        scheduler("CogVideoXDDIMScheduler", **VELOCITY),
        autoencoder(),
        t5(611),
    ),
    "CogView4Pipeline": _cogview4,
    "ZImagePipeline": lambda: components(
        denoiser("ZImageTransformer2DModel", 110),
        flow(shift=3.0),
        autoencoder(),
        decoder("Qwen3Model", 111, chat_tokenizer()),
    ),
    "HunyuanImagePipeline": _hunyuan_image,
    "IFPipeline": _deep_floyd,
    "Kandinsky3Pipeline": lambda: components(
        denoiser("Kandinsky3UNet", 510),
        scheduler("DDIMScheduler", clip_sample=False),
        None,
        t5(512),
        movq=autoencoder("VQModel", 511),
    ),
    "Flux2KleinBaseAutoBlocks": lambda: components(
        denoiser("Flux2Transformer2DModel", 210),
        flow(),
        _flux2_vae(),
        decoder("Qwen3ForCausalLM", 211, chat_tokenizer()),
    ),
    "Flux3AutoBlocks": _flux3,
    "ErnieImageAutoBlocks": lambda: components(
        denoiser("ErnieImageTransformer2DModel", 230), flow(shift=3.0), _flux2_vae(), decoder("Qwen3Model", 231)
    ),
    "AnimaAutoBlocks": _anima,
    "Krea2AutoBlocks": lambda: components(  # twelve layers of its text encoder are read, up to the 35th
        denoiser("Krea2Transformer2DModel", 310),
        flow(),
        autoencoder("AutoencoderKLQwenImage"),
        qwen3_vl(311, layers=35, part="model"),
    ),
    "QwenImage21AutoBlocks": _qwen_image_2_1,
}
"""What makes the components of a pipeline, by its class in diffusers or that of its blocks."""
