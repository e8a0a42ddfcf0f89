"""Tiny video pipelines of Latte, EasyAnimate, Sana-Video, Kandinsky 5, SkyReels-V1 and CogVideoX Fun."""

from __future__ import annotations

import inspect
from typing import Any

from support.tiny.autoencoders import autoencoder
from support.tiny.pipelines import tiny
from support.tiny.schedulers import FLOW
from support.tiny.stable_diffusion import quiet
from support.tiny.texts import DIM, decoder, qwen2_vl, t5
from support.tiny.tokenizers import gemma_tokenizer, word_tokenizer
from support.tiny.transformers import kandinsky5
from support.tiny.weights import benign

_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content[0].text }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)


def latte() -> Any:
    """Build a LattePipeline for 2 frames of 16x16; its transformer also predicts a variance."""
    from diffusers import DDIMScheduler, LattePipeline, LatteTransformer3DModel

    transformer = LatteTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=1,
        cross_attention_dim=16,
        sample_size=8,
        patch_size=2,
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        caption_channels=DIM,
        video_length=2,
    )
    encoder, tokenizer = t5(871)
    parts: Any = {"text_encoder": encoder, "tokenizer": tokenizer}
    scheduler: Any = DDIMScheduler(clip_sample=False)
    return quiet(
        LattePipeline(
            transformer=benign(transformer, 870), vae=autoencoder(latent_channels=4), scheduler=scheduler, **parts
        )
    )


def easy_animate(name: str = "EasyAnimatePipeline", in_channels: int = 4) -> Any:
    """Build a pipeline of EasyAnimate for 5 frames of 16x16; the other classes read more channels."""
    import diffusers
    from diffusers import AutoencoderKLMagvit, EasyAnimateTransformer3DModel, FlowMatchEulerDiscreteScheduler

    transformer = EasyAnimateTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=in_channels,
        out_channels=4,
        patch_size=2,
        num_layers=1,
        mmdit_layers=1,
        time_embed_dim=8,
        text_embed_dim=16,
        sample_width=4,
        sample_height=4,
        resize_inpaint_mask_directly=False,
    )
    blocks: Any = {"block_out_channels": [8] * 4}
    vae = AutoencoderKLMagvit(latent_channels=4, layers_per_block=1, norm_num_groups=2, **blocks)
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = word_tokenizer("user\nassistant\n", special, chat_template=_CHAT)
    return quiet(
        getattr(diffusers, name)(
            transformer=benign(transformer, 880),
            vae=benign(vae, 881),
            text_encoder=qwen2_vl(882, tokenizer)[0],
            tokenizer=tokenizer,
            scheduler=FlowMatchEulerDiscreteScheduler(),
        )
    )


def sana_video(name: str = "SanaVideoPipeline") -> Any:
    """Build a pipeline of Sana-Video for 5 frames of 32x32; from images it steps with Euler."""
    import diffusers
    from diffusers import DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, SanaVideoTransformer3DModel

    transformer = SanaVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_cross_attention_heads=2,
        cross_attention_head_dim=12,
        cross_attention_dim=24,
        caption_channels=DIM,
        rope_max_seq_len=32,
    )
    kind = getattr(diffusers, name)
    instruction = inspect.signature(kind.__call__).parameters["complex_human_instruction"].default
    encoder, tokenizer = decoder("Gemma2Model", 891, gemma_tokenizer("\n".join(instruction)), query_pre_attn_scalar=8)
    images = name == "SanaImageToVideoPipeline"
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0) if images else DPMSolverMultistepScheduler(**FLOW)
    return quiet(
        kind(
            transformer=benign(transformer, 890),
            vae=autoencoder("AutoencoderKLWan"),
            scheduler=scheduler,
            text_encoder=encoder,
            tokenizer=tokenizer,
        )
    )


def kandinsky5_video(name: str = "Kandinsky5T2VPipeline") -> Any:
    """Build a video pipeline of Kandinsky 5 for 5 frames of 32x32; with an image its transformer reads a mask too."""
    return kandinsky5(name, tiny("HunyuanVideoPipeline").vae, visual_cond=True)


def skyreels_v1() -> Any:
    """Build a HunyuanSkyreelsImageToVideoPipeline, whose transformer also reads the image."""
    from diffusers import HunyuanSkyreelsImageToVideoPipeline, HunyuanVideoTransformer3DModel

    parts = dict(tiny("HunyuanVideoPipeline").components)
    config = {key: value for key, value in parts["transformer"].config.items() if not key.startswith("_")}
    parts["transformer"] = benign(HunyuanVideoTransformer3DModel(**{**config, "in_channels": 8}), 892)
    return quiet(HunyuanSkyreelsImageToVideoPipeline(**parts))
