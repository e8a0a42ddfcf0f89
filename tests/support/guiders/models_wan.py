"""Tiny components of the modular pipelines of Wan."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from support.zoo import flow, texts
from support.zoo.weights import benign


def without_ftfy(encoders: Any) -> None:
    """Let a module that calls ftfy also where it is not installed call nothing."""
    if not hasattr(encoders, "ftfy"):
        encoders.ftfy = SimpleNamespace(fix_text=str)


def wan() -> Mapping[str, Any]:
    """Return Wan 2.1's components."""
    from diffusers.modular_pipelines.wan import encoders

    without_ftfy(encoders)
    return flow.wan().components


def wan_2_2() -> Mapping[str, Any]:
    """Return the components of Wan 2.2, which has a transformer for high and one for low noise."""
    return {**wan(), "transformer_2": benign(flow.wan_transformer(), 43)}


def wan_2_2_image() -> Mapping[str, Any]:
    """Return the components of Wan 2.2 whose transformers also read a mask and an image."""
    return {**wan(), **{name: benign(flow.wan_transformer(12), 44) for name in ("transformer", "transformer_2")}}


def wan_image() -> Mapping[str, Any]:
    """Return the components of Wan 2.1 from images, which it also reads through CLIP."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    size: Any = {"image_size": 16, "patch_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = CLIPVisionConfig(hidden_size=16, intermediate_size=16, projection_dim=16, **size)
    edge: Any = {"height": 16, "width": 16}
    return {
        **wan(),
        "transformer": benign(flow.wan_transformer(12, image_dim=16, added_kv_proj_dim=24), 45),
        "image_encoder": benign(CLIPVisionModel(vision), 46),
        "image_processor": CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=edge),
    }


def wan_vace() -> Mapping[str, Any]:
    """Return the components of Wan 2.2 VACE, which reads a video to be changed."""
    from diffusers import WanVACETransformer3DModel

    def transformer(seed: int) -> Any:
        made = WanVACETransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=4,
            out_channels=4,
            text_dim=texts.DIM,
            freq_dim=32,
            ffn_dim=32,
            num_layers=2,
            rope_max_seq_len=32,
            vace_layers=[0],
            vace_in_channels=2 * 4 + 64,
        )
        return benign(made, seed)

    return {**wan(), "transformer": transformer(47), "transformer_2": transformer(48)}
