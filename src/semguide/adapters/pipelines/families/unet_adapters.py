"""Stable Diffusion and SDXL with more to read, features, boxes, depth or an image embedding, or otherwise changed."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import TINY, PipelineSpec, Scale
from semguide.adapters.pipelines.families.unet import NO_LCM, SD, SDXL

_ADAPTER = "The adapter's features go with every concept."
_XS = "The ControlNet is a part of the U-Net, so it hears every concept."

UNET_ADAPTERS: tuple[PipelineSpec, ...] = (
    replace(
        SD,
        family="Stable Diffusion with T2I-Adapter",
        pipelines=("StableDiffusionAdapterPipeline",),
        text=replace(SD.text, lora=None),
        scale=Scale(),
        notes=_ADAPTER,
        tested=TINY,
    ),
    replace(
        SDXL,
        family="SDXL with T2I-Adapter",
        pipelines=("StableDiffusionXLAdapterPipeline",),
        text=replace(SDXL.text, lora=None),
        scale=Scale(),
        notes=_ADAPTER,
    ),
    replace(
        SD,
        family="Stable Diffusion with ControlNet-XS",
        pipelines=("StableDiffusionControlNetXSPipeline",),
        scale=Scale(),
        distilled="",
        limits=(NO_LCM,),
        notes=_XS,
        tested=TINY,
    ),
    replace(
        SDXL,
        family="SDXL with ControlNet-XS",
        pipelines=("StableDiffusionXLControlNetXSPipeline",),
        scale=Scale(),
        distilled="",
        limits=(NO_LCM, *SDXL.limits),
        notes=_XS,
    ),
    replace(
        SD,
        family="Stable Diffusion 2, depth to image",
        pipelines=("StableDiffusionDepth2ImgPipeline",),
        distilled="",
        limits=(NO_LCM,),
        notes="The depth goes with every concept.",
        tested=TINY,
    ),
    replace(
        SD,
        family="Stable Diffusion with GLIGEN",
        pipelines=("StableDiffusionGLIGENPipeline",),
        text=replace(SD.text, lora=None),
        scale=Scale(),
        distilled="",
        limits=(NO_LCM,),
        notes="Boxes and their phrases go with every concept.",
        tested=TINY,
    ),
    replace(
        SD,
        family="Stable unCLIP, image to image",
        pipelines=("StableUnCLIPImg2ImgPipeline",),
        scale=Scale(),
        distilled="",
        limits=(NO_LCM,),
        notes="The image embedding goes with every concept.",
        tested=TINY,
    ),
    replace(
        SD,
        family="AltDiffusion",
        pipelines=("AltDiffusionPipeline", "AltDiffusionImg2ImgPipeline"),
        notes="Tested with a CLIP as text encoder.",
        tested=TINY,
    ),
    replace(
        SD,
        family="Stable Diffusion, model editing",
        pipelines=("StableDiffusionModelEditingPipeline",),
        scale=Scale(),
        distilled="",
        limits=(NO_LCM,),
        notes="",
        tested=TINY,
    ),
)
