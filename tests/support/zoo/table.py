"""Every family, tiny, and its variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from support.zoo import concat, decoders, flow, more, unet, variants
from support.zoo import video as films
from support.zoo.family import Family
from support.zoo.variants import as_class, image, mask

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
_HUNYUAN = {**_WAN, "prompt_template": films.TEMPLATE}
_KANDINSKY = {"height": 16, "width": 16}
_PIXELS = {"output_type": "pt", "clean_caption": False}

FAMILIES: Mapping[str, Family] = {
    "sd": Family(unet.sd, denoiser="unet"),
    "sd-v": Family(unet.sd_v, denoiser="unet"),
    "sdxl": Family(unet.sdxl, denoiser="unet"),
    "sd3": Family(flow.sd3, _SD3),
    "flux": Family(flow.flux, _FLUX, scale="true_cfg_scale"),
    "flux-embedded": Family(partial(flow.flux, guidance_embeds=True), _SMALL),
    "qwen-image": Family(flow.qwen_image, _QWEN, scale="true_cfg_scale"),
    "pixart-alpha": Family(concat.pixart_alpha, _PIXART),
    "pixart-sigma": Family(concat.pixart_sigma, _PIXART),
    "sana": Family(concat.sana, {**_LARGE, "use_resolution_binning": False}),
    "aura-flow": Family(concat.aura_flow, _SMALL),
    "hidream": Family(concat.hidream, _SMALL),
    "lumina2": Family(decoders.lumina2, _LARGE),
    "cogview4": Family(decoders.cogview4, _SMALL),
    "z-image": Family(decoders.z_image, _ZIMAGE, off=0.0, shift=1.0),
    "hunyuan-image": Family(decoders.hunyuan_image, {"height": 16, "width": 16}, scale=""),
    "wan": Family(flow.wan, _WAN, output="frames"),
}
"""A row per family."""

MORE: Mapping[str, Family] = {
    "kolors": Family(more.kolors, denoiser="unet"),
    "cogview3": Family(more.cogview3, _SMALL),
    "chroma": Family(more.chroma, _SMALL),
    "ovis-image": Family(more.ovis_image, _SMALL),
    "nucleus-image": Family(more.nucleus_image, {"height": 32, "width": 32, "return_index": -1}),
    "kandinsky3": Family(unet.kandinsky3, _KANDINSKY, denoiser="unet", shift=1.0),
    "cogvideox": Family(films.cogvideox, _COGVIDEOX, output="frames"),
    "mochi": Family(films.mochi, _MOCHI, output="frames"),
    "allegro": Family(films.allegro, _ALLEGRO, output="frames"),
    "skyreels-v2": Family(variants.skyreels, _WAN, output="frames"),
    "hunyuan-video": Family(
        films.hunyuan_video, {**_HUNYUAN, "negative_prompt": ""}, scale="true_cfg_scale", output="frames"
    ),
    "hunyuan-video-embedded": Family(partial(films.hunyuan_video, guidance_embeds=True), _HUNYUAN, output="frames"),
}
"""A row per family that is less used; its tests are slow."""


def _variant(of: str, name: str, part: Any = None, **arguments: Any) -> Family:
    """Return the row of a pipeline class made of a family's parts, with a ControlNet where one is given."""
    base = {**FAMILIES, **MORE}[of]
    parts = {} if part is None else {"controlnet": part}
    given = {**base.arguments, **arguments}
    return replace(base, make=as_class(base.make, name, **parts), arguments=given)


def _again(size: int) -> dict[str, Any]:
    return {"image": image(size), "strength": 0.9, "num_inference_steps": 4}


def _painted(size: int) -> dict[str, Any]:
    return {**_again(size), "mask_image": mask(size)}


def _reading(channels: int, name: str, **arguments: Any) -> Family:
    """Return the row of a Flux whose transformer also reads an image, with its guidance embedded."""
    make = as_class(partial(flow.flux, guidance_embeds=True, in_channels=channels), name)
    return Family(make, {**_SMALL, **arguments})


_UNET, _UNION, _SD3_CONTROL = variants.control_of_unet, variants.union_control_of_unet, variants.control_of_sd3
_QWEN_CONTROL = variants.control_of_qwen_image
_CONTROL = {"control_image": image(64, 7)}
_CONTROL_16 = {"control_image": image(16, 7)}
_MODE = {"control_mode": 1}
_IP = {"ip_adapter_image_embeds": variants.image_embeds()}

VARIANTS: Mapping[str, Family] = {
    "sd-img2img": _variant("sd", "StableDiffusionImg2ImgPipeline", **_again(64)),
    "sd-inpaint": _variant("sd", "StableDiffusionInpaintPipeline", **_painted(64)),
    "sd-inpaint-nine-channels": Family(unet.sd_inpaint, _painted(64), denoiser="unet"),
    "sd-controlnet": _variant("sd", "StableDiffusionControlNetPipeline", _UNET, image=image(64, 7)),
    "sd-controlnet-img2img": _variant(
        "sd", "StableDiffusionControlNetImg2ImgPipeline", _UNET, **_again(64), **_CONTROL
    ),
    "sd-controlnet-inpaint": _variant(
        "sd", "StableDiffusionControlNetInpaintPipeline", _UNET, **_painted(64), **_CONTROL
    ),
    "sd-ip-adapter": replace(FAMILIES["sd"], make=variants.with_ip_adapter(unet.sd), arguments=_IP),
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
    "sdxl-ip-adapter": replace(FAMILIES["sdxl"], make=variants.with_ip_adapter(unet.sdxl), arguments=_IP),
    "sd3-img2img": _variant("sd3", "StableDiffusion3Img2ImgPipeline", **_again(8)),
    "sd3-inpaint": _variant("sd3", "StableDiffusion3InpaintPipeline", **_painted(8)),
    "sd3-controlnet": _variant("sd3", "StableDiffusion3ControlNetPipeline", _SD3_CONTROL, control_image=image(8, 7)),
    "sd3-controlnet-inpaint": _variant(
        "sd3",
        "StableDiffusion3ControlNetInpaintingPipeline",
        variants.inpaint_control_of_sd3,
        control_image=image(8, 7),
        control_mask=mask(8),
    ),
    "kolors-img2img": _variant("kolors", "KolorsImg2ImgPipeline", **_again(64)),
    "chroma-img2img": _variant("chroma", "ChromaImg2ImgPipeline", **_again(16)),
    "chroma-inpaint": Family(more.chroma_inpaint, {**_SMALL, **_painted(16)}),
    "flux-controlnet": _variant("flux", "FluxControlNetPipeline", variants.control_of_flux, control_image=image(16, 7)),
    "flux-embedded-controlnet": _variant(
        "flux-embedded", "FluxControlNetPipeline", variants.control_of_flux, control_image=image(16, 7)
    ),
    "flux-embedded-controlnet-img2img": _variant(
        "flux-embedded", "FluxControlNetImg2ImgPipeline", variants.control_of_flux, **_again(16), **_CONTROL_16
    ),
    "flux-embedded-controlnet-inpaint": _variant(
        "flux-embedded", "FluxControlNetInpaintPipeline", variants.control_of_flux, **_painted(16), **_CONTROL_16
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
    "cogview4-control": replace(
        FAMILIES["cogview4"],
        make=variants.cogview4_control,
        arguments={**_SMALL, "control_image": image(16, 7)},
    ),
    "z-image-img2img": _variant("z-image", "ZImageImg2ImgPipeline", **_again(16)),
    "z-image-inpaint": _variant("z-image", "ZImageInpaintPipeline", **_painted(16)),
    "if": Family(unet.deep_floyd, {**_PIXELS, "height": 16, "width": 16}, denoiser="unet"),
    "if-img2img": Family(as_class(unet.deep_floyd, "IFImg2ImgPipeline"), {**_PIXELS, **_again(16)}, denoiser="unet"),
    "if-inpaint": Family(
        as_class(unet.deep_floyd, "IFInpaintingPipeline"), {**_PIXELS, **_painted(16)}, denoiser="unet"
    ),
    "kandinsky3-img2img": Family(
        as_class(unet.kandinsky3, "Kandinsky3Img2ImgPipeline"), _again(16), denoiser="unet", shift=1.0
    ),
    "cogvideox-image-to-video": Family(
        partial(films.cogvideox, "CogVideoXImageToVideoPipeline", 8),
        {**_COGVIDEOX, "image": image(16)},
        output="frames",
    ),
    "cogvideox-video-to-video": Family(
        partial(films.cogvideox, "CogVideoXVideoToVideoPipeline"),
        {**_SMALL, "video": variants.film(9, 16), "strength": 0.9, "num_inference_steps": 4},
        output="frames",
    ),
    "skyreels-v2-image-to-video": Family(
        variants.skyreels_image_to_video, {**_WAN, "image": variants.picture(16)}, output="frames"
    ),
    "wan-2.2": replace(FAMILIES["wan"], make=variants.wan_2_2),
    "wan-image-to-video": replace(
        FAMILIES["wan"], make=variants.wan_image_to_video, arguments={**_WAN, "image": variants.picture(16)}
    ),
    "wan-video-to-video": replace(
        FAMILIES["wan"],
        make=variants.wan_video_to_video,
        arguments={**_SMALL, "video": variants.video(5, 16), "strength": 0.9},
    ),
}
"""A row per pipeline of a family that reads more than text, or has more denoisers."""
