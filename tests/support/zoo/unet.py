"""Tiny Stable Diffusion and SDXL with benign weights."""

from __future__ import annotations

from typing import Any

from support.tiny_checkpoint import tiny_stable_diffusion
from support.tiny_pipelines import quiet, tiny_sdxl
from support.zoo import texts
from support.zoo.tokenizers import byte_tokenizer
from support.zoo.weights import benign


def sd() -> Any:
    """Build a StableDiffusionPipeline that predicts eps."""
    return quiet(_benign(tiny_stable_diffusion()))


def sd_v() -> Any:
    """Build a StableDiffusionPipeline that predicts v."""
    return quiet(_benign(tiny_stable_diffusion("v_prediction")))


def sd_inpaint() -> Any:
    """Build a StableDiffusionInpaintPipeline whose U-Net also reads mask and masked image."""
    from diffusers import StableDiffusionInpaintPipeline, UNet2DConditionModel

    parts = dict(sd().components)
    config = {**parts["unet"].config, "in_channels": 9}
    parts["unet"] = benign(UNet2DConditionModel.from_config(config), 3)
    return quiet(StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False))


def sdxl() -> Any:
    """Build a StableDiffusionXLPipeline."""
    return _benign(tiny_sdxl())


def deep_floyd() -> Any:
    """Build an IFPipeline for 16x16 images, which denoises pixels; its U-Net also predicts a variance."""
    from diffusers import DPMSolverMultistepScheduler, IFPipeline, UNet2DConditionModel

    net = UNet2DConditionModel(
        sample_size=16,
        layers_per_block=1,
        block_out_channels=(16, 32),
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        in_channels=3,
        out_channels=6,
        cross_attention_dim=texts.DIM,
        encoder_hid_dim=texts.DIM,
        attention_head_dim=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        norm_num_groups=8,
        act_fn="gelu",
    )
    tokenizer, none = byte_tokenizer(), dict.fromkeys(("safety_checker", "feature_extractor", "watermarker"))
    scheduler: Any = DPMSolverMultistepScheduler(beta_schedule="squaredcos_cap_v2", variance_type="learned_range")
    parts: Any = {"text_encoder": texts.t5(tokenizer, 501), "tokenizer": tokenizer, **none}
    return quiet(IFPipeline(unet=benign(net, 500), scheduler=scheduler, requires_safety_checker=False, **parts))


def kandinsky3() -> Any:
    """Build a Kandinsky3Pipeline for 16x16 images."""
    from diffusers import DDIMScheduler, Kandinsky3Pipeline, Kandinsky3UNet, VQModel

    net = Kandinsky3UNet(
        time_embedding_dim=8,
        groups=2,
        attention_head_dim=4,
        block_out_channels=(16, 32),
        cross_attention_dim=8,
        encoder_hid_dim=texts.DIM,
    )
    movq = VQModel(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        num_vq_embeddings=12,
        vq_embed_dim=4,
        norm_type="spatial",
        norm_num_groups=8,
    )
    tokenizer, scheduler = byte_tokenizer(), DDIMScheduler(clip_sample=False)
    parts: Any = {"text_encoder": texts.t5(tokenizer, 512), "tokenizer": tokenizer, "scheduler": scheduler}
    return quiet(Kandinsky3Pipeline(unet=benign(net, 510), movq=benign(movq, 511), **parts))


def _benign(pipe: Any) -> Any:
    for seed, name in enumerate(("unet", "vae", "text_encoder", "text_encoder_2")):
        if getattr(pipe, name, None) is not None:
            benign(getattr(pipe, name), seed)
    return pipe
