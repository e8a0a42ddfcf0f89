"""Every family, tiny."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.zoo import concat, decoders, flow
from adapters.zoo.family import Family

_SMALL = {"height": 16, "width": 16, "max_sequence_length": 48}
_LARGE = {"height": 32, "width": 32, "max_sequence_length": 64}
_PIXART = {**_SMALL, "use_resolution_binning": False, "clean_caption": False}

FAMILIES: Mapping[str, Family] = {
    "sd3": Family(flow.sd3, {"height": 8, "width": 8, "max_sequence_length": 48}),
    "flux": Family(flow.flux, {**_SMALL, "negative_prompt": ""}, scale="true_cfg_scale"),
    "qwen-image": Family(
        flow.qwen_image,
        {"height": 32, "width": 32, "negative_prompt": " "},
        scale="true_cfg_scale",
    ),
    "pixart-alpha": Family(concat.pixart_alpha, _PIXART),
    "pixart-sigma": Family(concat.pixart_sigma, _PIXART),
    "sana": Family(concat.sana, {**_LARGE, "use_resolution_binning": False}),
    "aura-flow": Family(concat.aura_flow, _SMALL),
    "hidream": Family(concat.hidream, _SMALL),
    "lumina2": Family(decoders.lumina2, _LARGE),
    "cogview4": Family(decoders.cogview4, _SMALL),
    "z-image": Family(decoders.z_image, {"height": 16, "width": 16, "max_sequence_length": 64}),
    "hunyuan-image": Family(decoders.hunyuan_image, {"height": 16, "width": 16}, scale=""),
    "wan": Family(flow.wan, {**_SMALL, "num_frames": 5}, output="frames"),
}
