"""Every family, tiny."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.zoo import flow
from adapters.zoo.family import Family

_SMALL = {"height": 16, "width": 16, "max_sequence_length": 48}

FAMILIES: Mapping[str, Family] = {
    "sd3": Family(flow.sd3, {"height": 8, "width": 8, "max_sequence_length": 48}),
    "flux": Family(flow.flux, {**_SMALL, "negative_prompt": ""}, scale="true_cfg_scale"),
    "qwen-image": Family(
        flow.qwen_image,
        {"height": 32, "width": 32, "negative_prompt": " "},
        scale="true_cfg_scale",
    ),
    "wan": Family(flow.wan, {**_SMALL, "num_frames": 5}, output="frames"),
}
