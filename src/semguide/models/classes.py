"""Pipeline classes that are loaded, a part of the adapters' table: by name, a refusal needs no torch."""

from __future__ import annotations

TEXT_TO_IMAGE = (
    *("StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "KolorsPipeline"),
    *("IFPipeline", "Kandinsky3Pipeline", "AltDiffusionPipeline", "PixArtAlphaPipeline", "PixArtSigmaPipeline"),
    *("SanaPipeline", "AuraFlowPipeline", "CogView3PlusPipeline", "HiDreamImagePipeline", "ZImagePipeline"),
    *("BriaPipeline", "FluxPipeline", "ChromaPipeline", "QwenImagePipeline", "OvisImagePipeline"),
    *("NucleusMoEImagePipeline", "LongCatImagePipeline", "Lumina2Pipeline", "CogView4Pipeline"),
    *("HunyuanImagePipeline", "Kandinsky5T2IPipeline", "Cosmos2TextToImagePipeline"),
)
"""Pictures of a prompt alone."""

TEXT_TO_VIDEO = (
    *("WanPipeline", "Kandinsky5T2VPipeline", "CosmosTextToWorldPipeline", "AnimateDiffPipeline"),
    *("AnimateDiffSDXLPipeline", "TextToVideoSDPipeline", "CogVideoXPipeline", "MochiPipeline", "AllegroPipeline"),
    *("SkyReelsV2Pipeline", "HunyuanVideoPipeline", "LattePipeline", "EasyAnimatePipeline", "SanaVideoPipeline"),
)
"""Videos of a prompt alone: they load, but no command writes videos."""

STEERABLE = (*TEXT_TO_IMAGE, *TEXT_TO_VIDEO)
"""All that are loaded."""
