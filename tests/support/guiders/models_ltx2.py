"""Tiny components of LTX-2, which makes video and sound together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffusers import ClassifierFreeGuidance

from support.zoo import texts
from support.zoo.tokenizers import byte_tokenizer
from support.zoo.weights import benign


class PlainGuidance(ClassifierFreeGuidance):
    """Diffusers' own guider with what LTX-2 asks of guiders beside."""

    spatio_temporal_guidance_blocks = None

    def active_predictions(self) -> list[str]:
        return ["pred_cond", "pred_uncond"][: self.num_conditions]


def ltx2() -> Mapping[str, Any]:
    """Return LTX-2's components without what decodes; the sound has diffusers' own guider."""
    from diffusers import AutoencoderKLLTX2Audio, FlowMatchEulerDiscreteScheduler, LTX2VideoTransformer3DModel
    from diffusers.guiders import LTX2Guidance
    from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors

    transformer = LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        audio_in_channels=16,
        audio_out_channels=16,
        audio_num_attention_heads=2,
        audio_attention_head_dim=16,
        audio_cross_attention_dim=32,
        num_layers=2,
        caption_channels=32,
    )
    connectors = LTX2TextConnectors(
        caption_channels=texts.DIM,
        text_proj_in_factor=3,
        video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=16,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=16,
        audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=16,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=16,
    )
    sound = AutoencoderKLLTX2Audio(
        base_channels=4, ch_mult=(1, 2, 4), num_res_blocks=1, latent_channels=4, mel_bins=16, resolution=16
    )
    tokenizer = byte_tokenizer()
    return {
        "transformer": benign(transformer, 500),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": texts.gemma(tokenizer, 501),
        "tokenizer": tokenizer,
        "connectors": benign(connectors, 502),
        "audio_vae": benign(sound, 503),
        "audio_guider": LTX2Guidance(guidance_scale=4.0),
    }
