"""Every family, tiny, and its variants: what it is made of, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from support.tiny import controls
from support.tiny.components import Parts
from support.tiny.denoisers import STABLE_DIFFUSION, another
from support.tiny.inputs import film, image, image_embeds, mask, picture, video
from support.tiny.pipelines import tiny
from support.tiny.schedulers import lcm, of_velocity, trigflow
from support.tiny.videos import TEMPLATE


@dataclass(frozen=True)
class Family:
    """A tiny pipeline of a family.

    Attributes:
        pipeline: Its class in diffusers.
        arguments: What its calls need at the smallest size.
        of: The pipeline whose components it has; empty: those of its own class.
        parts: Its further or other components; a function makes them from those.
        scale: The argument that is the scale of its classifier-free guidance; empty where there is none.
        off: The scale at which there is none.
        shift: What is added to the scale to make w.
        denoiser: The attribute that holds its denoiser.
        output: The field of its output that holds images or videos.
        double: Whether its models work in float64.
        single: Whether it takes one prompt a call.
        build: Builds it; None: `tiny` does.
    """

    pipeline: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)
    scale: str = "guidance_scale"
    off: float = 1.0
    shift: float = 0.0
    denoiser: str = "transformer"
    output: str = "images"
    double: bool = True
    single: bool = False
    build: Callable[[], Any] | None = None

    def make(self) -> Any:
        """Build it."""
        return self.build() if self.build is not None else tiny(self.pipeline, self.of, **self.parts)


_SMALL = {"height": 16, "width": 16, "max_sequence_length": 48}
_LARGE = {"height": 32, "width": 32, "max_sequence_length": 64}
_PIXART = {**_SMALL, "use_resolution_binning": False, "clean_caption": False}
_SD3 = {"height": 8, "width": 8, "max_sequence_length": 48}
_FLUX = {**_SMALL, "negative_prompt": ""}
_QWEN = {"height": 32, "width": 32, "negative_prompt": " "}
_ZIMAGE = {"height": 16, "width": 16, "max_sequence_length": 64}
_WAN = {**_SMALL, "num_frames": 5}
_COGVIDEOX, _MOCHI = {**_SMALL, "num_frames": 9}, {**_SMALL, "num_frames": 7}
_ALLEGRO = {**_SMALL, "num_frames": 8, "clean_caption": False}
_HUNYUAN = {**_WAN, "prompt_template": TEMPLATE}
_KANDINSKY = {"height": 16, "width": 16}
_PIXELS = {"output_type": "pt", "clean_caption": False}

_LCM_UNET = another("UNet2DConditionModel", 3, **STABLE_DIFFUSION, time_cond_proj_dim=8)

FAMILIES: Mapping[str, Family] = {
    "sd": Family("StableDiffusionPipeline", denoiser="unet"),
    "sd-v": Family("StableDiffusionPipeline", parts={"scheduler": of_velocity}, denoiser="unet"),
    "sdxl": Family("StableDiffusionXLPipeline", denoiser="unet"),
    "sd3": Family("StableDiffusion3Pipeline", _SD3),
    "flux": Family("FluxPipeline", _FLUX, scale="true_cfg_scale"),
    "flux-embedded": Family(
        "FluxPipeline", _SMALL, parts={"transformer": another("FluxTransformer2DModel", 20, guidance_embeds=True)}
    ),
    "qwen-image": Family("QwenImagePipeline", _QWEN, scale="true_cfg_scale"),
    "pixart-alpha": Family("PixArtAlphaPipeline", _PIXART),
    "pixart-sigma": Family("PixArtSigmaPipeline", _PIXART),
    "sana": Family("SanaPipeline", {**_LARGE, "use_resolution_binning": False}),
    "aura-flow": Family("AuraFlowPipeline", _SMALL),
    "hidream": Family("HiDreamImagePipeline", _SMALL),
    "lumina2": Family("Lumina2Pipeline", _LARGE),
    "cogview4": Family("CogView4Pipeline", _SMALL),
    "z-image": Family("ZImagePipeline", _ZIMAGE, off=0.0, shift=1.0),
    "hunyuan-image": Family("HunyuanImagePipeline", {"height": 16, "width": 16}, scale=""),
    "wan": Family("WanPipeline", _WAN, output="frames"),
}
"""A row per family."""

MORE: Mapping[str, Family] = {
    "kolors": Family("KolorsPipeline", denoiser="unet"),
    "cogview3": Family("CogView3PlusPipeline", _SMALL),
    "chroma": Family("ChromaPipeline", _SMALL),
    "ovis-image": Family("OvisImagePipeline", _SMALL),
    "nucleus-image": Family("NucleusMoEImagePipeline", {"height": 32, "width": 32, "return_index": -1}),
    "kandinsky3": Family("Kandinsky3Pipeline", _KANDINSKY, denoiser="unet", shift=1.0),
    "cogvideox": Family("CogVideoXPipeline", _COGVIDEOX, output="frames"),
    "mochi": Family("MochiPipeline", _MOCHI, output="frames"),
    "allegro": Family("AllegroPipeline", _ALLEGRO, output="frames"),
    "skyreels-v2": Family("SkyReelsV2Pipeline", _WAN, output="frames"),
    "hunyuan-video": Family(
        "HunyuanVideoPipeline", {**_HUNYUAN, "negative_prompt": ""}, scale="true_cfg_scale", output="frames"
    ),
    "hunyuan-video-embedded": Family(
        "HunyuanVideoPipeline",
        _HUNYUAN,
        parts={"transformer": another("HunyuanVideoTransformer3DModel", 740, guidance_embeds=True)},
        output="frames",
    ),
}
"""A row per family that is less used; its tests are slow."""


def _variant(of: str, name: str, part: Any = None, **arguments: Any) -> Family:
    """Return the row of a pipeline class made of a family's parts, with a ControlNet where one is given."""
    base = {**FAMILIES, **MORE}[of]
    parts = base.parts if part is None else {**base.parts, "controlnet": part}
    return replace(base, pipeline=name, of=base.pipeline, parts=parts, arguments={**base.arguments, **arguments})


def _again(size: int) -> dict[str, Any]:
    return {"image": image(size), "strength": 0.9, "num_inference_steps": 4}


def _painted(size: int) -> dict[str, Any]:
    return {**_again(size), "mask_image": mask(size)}


def _reading(channels: int, name: str, **arguments: Any) -> Family:
    """Return the row of a Flux whose transformer also reads an image, with its guidance embedded."""
    sizes = {"guidance_embeds": True, "in_channels": channels, "out_channels": 16}
    parts = {"transformer": another("FluxTransformer2DModel", 20, **sizes)}
    return Family(name, {**_SMALL, **arguments}, of="FluxPipeline", parts=parts)


def _chroma_of_a_checkpoint(parts: Parts) -> Any:
    """Return a transformer with an entry that only the config of a loaded checkpoint can have."""
    parts["transformer"].register_to_config(guidance_embeds=False)
    return parts["transformer"]


_SPRINT = {**_LARGE, "use_resolution_binning": False, "intermediate_timesteps": None}
_SPRINT_PARTS = {
    "transformer": another("SanaTransformer2DModel", 60, guidance_embeds=True, qk_norm="rms_norm_across_heads"),
    "scheduler": trigflow,
}

FEW_STEPS: Mapping[str, Family] = {
    "sd-lcm-lora": Family(
        "StableDiffusionPipeline", {"guidance_scale": 1.0}, parts={"scheduler": lcm}, scale="", denoiser="unet"
    ),
    "sdxl-turbo": Family("StableDiffusionXLPipeline", {"guidance_scale": 0.0}, scale="", denoiser="unet"),
    "lcm": Family(
        "LatentConsistencyModelPipeline",
        of="StableDiffusionPipeline",
        parts={"unet": _LCM_UNET, "scheduler": lcm},
        scale="",
        denoiser="unet",
    ),
    "lcm-img2img": Family(
        "LatentConsistencyModelImg2ImgPipeline",
        {"image": image(64), "strength": 0.9},
        of="StableDiffusionPipeline",
        parts={"unet": _LCM_UNET, "scheduler": lcm},
        scale="",
        denoiser="unet",
    ),
    "sd-lcm-unet": Family(
        "StableDiffusionPipeline", parts={"unet": _LCM_UNET, "scheduler": lcm}, scale="", denoiser="unet"
    ),
    "flux-schnell": Family("FluxPipeline", _SMALL, scale=""),
    "z-image-turbo": Family("ZImagePipeline", {**_ZIMAGE, "guidance_scale": 0.0}, scale=""),
    "qwen-image-lightning": Family("QwenImagePipeline", {"height": 32, "width": 32, "true_cfg_scale": 1.0}, scale=""),
    "sana-sprint": Family("SanaSprintPipeline", _SPRINT, of="SanaPipeline", parts=_SPRINT_PARTS, scale=""),
    "sana-sprint-img2img": Family(
        "SanaSprintImg2ImgPipeline",
        {**_SPRINT, "image": image(32), "strength": 0.9},
        of="SanaPipeline",
        parts=_SPRINT_PARTS,
        scale="",
    ),
}
"""Checkpoints of a few steps, which do not guide."""

_UNET, _UNION, _SD3_CONTROL = controls.control_of_unet, controls.union_control_of_unet, controls.control_of_sd3
_QWEN_CONTROL = controls.control_of_qwen_image
_CONTROL = {"control_image": image(64, 7)}
_CONTROL_16 = {"control_image": image(16, 7)}
_MODE = {"control_mode": 1}
_IP = {"ip_adapter_image_embeds": image_embeds()}

VARIANTS: Mapping[str, Family] = {
    "sd-img2img": _variant("sd", "StableDiffusionImg2ImgPipeline", **_again(64)),
    "sd-inpaint": _variant("sd", "StableDiffusionInpaintPipeline", **_painted(64)),
    "sd-inpaint-nine-channels": Family(
        "StableDiffusionInpaintPipeline",
        _painted(64),
        of="StableDiffusionPipeline",
        parts={"unet": another("UNet2DConditionModel", 3, **STABLE_DIFFUSION, in_channels=9)},
        denoiser="unet",
    ),
    "sd-controlnet": _variant("sd", "StableDiffusionControlNetPipeline", _UNET, image=image(64, 7)),
    "sd-controlnet-img2img": _variant(
        "sd", "StableDiffusionControlNetImg2ImgPipeline", _UNET, **_again(64), **_CONTROL
    ),
    "sd-controlnet-inpaint": _variant(
        "sd", "StableDiffusionControlNetInpaintPipeline", _UNET, **_painted(64), **_CONTROL
    ),
    "sd-ip-adapter": replace(FAMILIES["sd"], parts={"unet": controls.with_ip_adapter}, arguments=_IP),
    "sdxl-img2img": _variant("sdxl", "StableDiffusionXLImg2ImgPipeline", **_again(64)),
    "sdxl-inpaint": _variant("sdxl", "StableDiffusionXLInpaintPipeline", **_painted(64)),
    "sdxl-controlnet": _variant("sdxl", "StableDiffusionXLControlNetPipeline", _UNET, image=image(64, 7)),
    "sdxl-controlnet-img2img": _variant(
        "sdxl", "StableDiffusionXLControlNetImg2ImgPipeline", _UNET, **_again(64), **_CONTROL
    ),
    "sdxl-controlnet-inpaint": _variant(
        "sdxl", "StableDiffusionXLControlNetInpaintPipeline", _UNET, **_painted(64), **_CONTROL
    ),
    "sdxl-controlnet-union": _variant("sdxl", "StableDiffusionXLControlNetUnionPipeline", _UNION, **_CONTROL, **_MODE),
    "sdxl-controlnet-union-img2img": _variant(
        "sdxl", "StableDiffusionXLControlNetUnionImg2ImgPipeline", _UNION, **_again(64), **_CONTROL, **_MODE
    ),
    "sdxl-controlnet-union-inpaint": _variant(
        "sdxl", "StableDiffusionXLControlNetUnionInpaintPipeline", _UNION, **_painted(64), **_CONTROL, **_MODE
    ),
    "sdxl-ip-adapter": replace(FAMILIES["sdxl"], parts={"unet": controls.with_ip_adapter}, arguments=_IP),
    "sd3-img2img": _variant("sd3", "StableDiffusion3Img2ImgPipeline", **_again(8)),
    "sd3-inpaint": _variant("sd3", "StableDiffusion3InpaintPipeline", **_painted(8)),
    "sd3-controlnet": _variant("sd3", "StableDiffusion3ControlNetPipeline", _SD3_CONTROL, control_image=image(8, 7)),
    "sd3-controlnet-inpaint": _variant(
        "sd3",
        "StableDiffusion3ControlNetInpaintingPipeline",
        controls.inpaint_control_of_sd3,
        control_image=image(8, 7),
        control_mask=mask(8),
    ),
    "kolors-img2img": _variant("kolors", "KolorsImg2ImgPipeline", **_again(64)),
    "chroma-img2img": _variant("chroma", "ChromaImg2ImgPipeline", **_again(16)),
    "chroma-inpaint": Family(
        "ChromaInpaintPipeline",
        {**_SMALL, **_painted(16)},
        of="ChromaPipeline",
        parts={"transformer": _chroma_of_a_checkpoint},
    ),
    "flux-controlnet": _variant("flux", "FluxControlNetPipeline", controls.control_of_flux, control_image=image(16, 7)),
    "flux-embedded-controlnet": _variant(
        "flux-embedded", "FluxControlNetPipeline", controls.control_of_flux, control_image=image(16, 7)
    ),
    "flux-embedded-controlnet-img2img": _variant(
        "flux-embedded", "FluxControlNetImg2ImgPipeline", controls.control_of_flux, **_again(16), **_CONTROL_16
    ),
    "flux-embedded-controlnet-inpaint": _variant(
        "flux-embedded", "FluxControlNetInpaintPipeline", controls.control_of_flux, **_painted(16), **_CONTROL_16
    ),
    "flux-embedded-fill": _reading(48, "FluxFillPipeline", **_painted(16)),
    "flux-embedded-control": _reading(32, "FluxControlPipeline", **_CONTROL_16),
    "flux-embedded-control-img2img": _reading(32, "FluxControlImg2ImgPipeline", **_again(16), **_CONTROL_16),
    "flux-embedded-control-inpaint": _reading(32, "FluxControlInpaintPipeline", **_painted(16), **_CONTROL_16),
    "flux-img2img": _variant("flux", "FluxImg2ImgPipeline", **_again(16)),
    "flux-inpaint": _variant("flux", "FluxInpaintPipeline", **_painted(16)),
    "qwen-image-img2img": _variant("qwen-image", "QwenImageImg2ImgPipeline", **_again(32)),
    "qwen-image-inpaint": _variant("qwen-image", "QwenImageInpaintPipeline", **_painted(32)),
    "qwen-image-controlnet": _variant(
        "qwen-image", "QwenImageControlNetPipeline", _QWEN_CONTROL, control_image=image(32, 7)
    ),
    "qwen-image-controlnet-inpaint": _variant(
        "qwen-image",
        "QwenImageControlNetInpaintPipeline",
        partial(_QWEN_CONTROL, more=4),
        control_image=image(32, 7),
        control_mask=mask(32),
    ),
    "cogview4-control": Family(  # its transformer reads the control's channels beside its own
        "CogView4ControlPipeline",
        {**_SMALL, "control_image": image(16, 7)},
        of="CogView4Pipeline",
        parts={"transformer": another("CogView4Transformer2DModel", 208, in_channels=8)},
    ),
    "z-image-img2img": _variant("z-image", "ZImageImg2ImgPipeline", **_again(16)),
    "z-image-inpaint": _variant("z-image", "ZImageInpaintPipeline", **_painted(16)),
    "if": Family("IFPipeline", {**_PIXELS, "height": 16, "width": 16}, denoiser="unet"),
    "if-img2img": Family("IFImg2ImgPipeline", {**_PIXELS, **_again(16)}, of="IFPipeline", denoiser="unet"),
    "if-inpaint": Family("IFInpaintingPipeline", {**_PIXELS, **_painted(16)}, of="IFPipeline", denoiser="unet"),
    "kandinsky3-img2img": Family(
        "Kandinsky3Img2ImgPipeline", _again(16), of="Kandinsky3Pipeline", denoiser="unet", shift=1.0
    ),
    "cogvideox-image-to-video": Family(
        "CogVideoXImageToVideoPipeline", {**_COGVIDEOX, "image": image(16)}, output="frames"
    ),
    "cogvideox-video-to-video": Family(
        "CogVideoXVideoToVideoPipeline",
        {**_SMALL, "video": film(9, 16), "strength": 0.9, "num_inference_steps": 4},
        of="CogVideoXPipeline",
        output="frames",
    ),
    "skyreels-v2-image-to-video": Family(
        "SkyReelsV2ImageToVideoPipeline", {**_WAN, "image": picture(16)}, output="frames"
    ),
    "wan-2.2": replace(
        FAMILIES["wan"], parts={"transformer_2": another("WanTransformer3DModel", 43), "boundary_ratio": 0.8}
    ),
    "wan-image-to-video": Family(  # 2.2, without an image encoder
        "WanImageToVideoPipeline",
        {**_WAN, "image": picture(16)},
        of="WanPipeline",
        parts={"transformer": another("WanTransformer3DModel", 42, in_channels=4 + 4 + 4)},
        output="frames",
    ),
    "wan-video-to-video": Family(
        "WanVideoToVideoPipeline", {**_SMALL, "video": video(5, 16), "strength": 0.9}, of="WanPipeline", output="frames"
    ),
}
"""A row per pipeline of a family that reads more than text, or has more denoisers."""
