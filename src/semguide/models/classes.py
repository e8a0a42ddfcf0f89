"""Pipeline classes that are loaded, a part of the adapters' table: by name, a refusal needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT_TO_IMAGE = (
    *("StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "KolorsPipeline"),
    *("IFPipeline", "Kandinsky3Pipeline", "AltDiffusionPipeline", "PixArtAlphaPipeline", "PixArtSigmaPipeline"),
    *("SanaPipeline", "AuraFlowPipeline", "CogView3PlusPipeline", "HiDreamImagePipeline", "ZImagePipeline"),
    *("BriaPipeline", "FluxPipeline", "ChromaPipeline", "QwenImagePipeline", "OvisImagePipeline"),
    *("NucleusMoEImagePipeline", "LongCatImagePipeline", "Lumina2Pipeline", "CogView4Pipeline"),
    *("HunyuanImagePipeline", "Kandinsky5T2IPipeline", "Cosmos2TextToImagePipeline"),
    *("LatentConsistencyModelPipeline", "SanaSprintPipeline"),
)
"""Pictures of a prompt alone."""


@dataclass(frozen=True, slots=True)
class VideoDefaults:
    """What a video pipeline makes where nothing else is asked for, as its class and the examples of diffusers have it.

    Attributes:
        fps: Frames a second.
        num_frames: Frames; None: the checkpoint says.
        height: Pixels; None: the checkpoint says.
        width: Pixels; None: the checkpoint says.
        argument: What its call names the number of frames.
        fixed: Key of the denoiser's configuration that is the only number of frames it makes; empty: there are others.
    """

    fps: int
    num_frames: int | None = None
    height: int | None = None
    width: int | None = None
    argument: str = "num_frames"
    fixed: str = ""


VIDEOS: Mapping[str, VideoDefaults] = {
    "WanPipeline": VideoDefaults(16, 81, 480, 832),
    "Kandinsky5T2VPipeline": VideoDefaults(24, 121, 512, 768),
    "CosmosTextToWorldPipeline": VideoDefaults(30, 121, 704, 1280),
    "Cosmos2_5_PredictBasePipeline": VideoDefaults(16, 93, 704, 1280),
    "AnimateDiffPipeline": VideoDefaults(8, 16),
    "AnimateDiffSDXLPipeline": VideoDefaults(8, 16),
    "TextToVideoSDPipeline": VideoDefaults(8, 16),
    "CogVideoXPipeline": VideoDefaults(8),
    "MochiPipeline": VideoDefaults(30, 19, 480, 848),
    "AllegroPipeline": VideoDefaults(15),
    "SkyReelsV2Pipeline": VideoDefaults(24, 97, 544, 960),
    "HunyuanVideoPipeline": VideoDefaults(15, 129, 720, 1280),
    "LattePipeline": VideoDefaults(8, 16, 512, 512, "video_length", fixed="video_length"),
    "EasyAnimatePipeline": VideoDefaults(8, 49, 512, 512),
    "SanaVideoPipeline": VideoDefaults(16, 81, 480, 832, "frames"),
}
"""Videos of a prompt alone, by pipeline class."""

TEXT_TO_VIDEO = tuple(VIDEOS)
"""Their classes."""

STEERABLE = (*TEXT_TO_IMAGE, *TEXT_TO_VIDEO)
"""All that are loaded."""
