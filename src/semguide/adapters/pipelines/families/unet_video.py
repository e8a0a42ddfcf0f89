"""Stable Diffusion and SDXL whose U-Net makes videos: AnimateDiff, PIA and the text-to-video model of ModelScope."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import CONTROL, TINY, BatchLayout, PipelineSpec, Scale
from semguide.adapters.pipelines.families.unet import NO_LCM, SD, SDXL

_ONE = "The pipeline makes one video a prompt."
_MOTION = replace(
    SD,
    family="AnimateDiff",
    pipelines=("AnimateDiffPipeline", "AnimateDiffVideoToVideoPipeline"),
    scale=Scale(),
    rows=BatchLayout(frames=("encoder_hidden_states",)),
    per_prompt="num_videos_per_prompt",
    distilled="",
    limits=(NO_LCM,),
    notes=f"Video. {_ONE} IP-Adapter images go with every concept. From a video it takes one prompt a call.",
    tested=TINY,
)
_WITH_RESIDUALS = BatchLayout(
    frames=("encoder_hidden_states", "down_block_additional_residuals", "mid_block_additional_residual")
)

UNET_VIDEO: tuple[PipelineSpec, ...] = (
    _MOTION,
    replace(
        _MOTION,
        family="AnimateDiff with ControlNet or SparseCtrl",
        pipelines=(
            "AnimateDiffControlNetPipeline",
            "AnimateDiffSparseControlNetPipeline",
            "AnimateDiffVideoToVideoControlNetPipeline",
        ),
        rows=_WITH_RESIDUALS,
        notes=f"Video. {_ONE} {CONTROL} With a ControlNet it takes one prompt a call.",
    ),
    replace(
        _MOTION,
        family="AnimateDiff with SDXL",
        pipelines=("AnimateDiffSDXLPipeline",),
        text=replace(SDXL.text, fixed={"num_videos_per_prompt": 1}),
        scale=SDXL.scale,
        distilled=SDXL.distilled,
        limits=(),
        notes=f"Video. {_ONE} IP-Adapter images go with every concept.",
    ),
    replace(
        _MOTION,
        family="PIA",
        pipelines=("PIAPipeline",),
        notes=f"Video. {_ONE} The image goes with every concept. One prompt a call.",
    ),
    replace(
        _MOTION,
        family="Text to video by ModelScope",
        pipelines=("TextToVideoSDPipeline", "VideoToVideoSDPipeline"),
        rows=BatchLayout(),
        per_prompt="",
        notes=f"Video. {_ONE} From a video it takes one prompt a call.",
    ),
)
