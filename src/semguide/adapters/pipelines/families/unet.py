"""Stable Diffusion and SDXL: a U-Net that gets the rows [uncond; cond] in one call."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import CONTROL, TINY, Limit, PipelineSpec, PromptEncodingSpec, Scale

_LIVE, _LOCAL = Scale(per_step=True), Scale()
NO_LCM = Limit(
    "unet",
    "time_cond_proj_dim",
    "LCM U-Nets",
    "has a U-Net that takes the guidance scale as an input (time_cond_proj_dim), which this pipeline does not give it; "
    "use a pipeline that does, such as StableDiffusionPipeline",
)
_REFINER = Limit(
    "",
    "requires_aesthetics_score",
    "the refiner",
    "is the SDXL refiner, which only sharpens what is there; steer the base pipeline and run the refiner on its images",
)

SD = PipelineSpec(
    family="Stable Diffusion 1.x, 2.x",
    pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"),
    mechanism="concat",
    denoisers=("unet",),
    positional=("sample", "timestep", "encoder_hidden_states"),
    text=PromptEncodingSpec(
        options=("clip_skip",), lora="cross_attention_kwargs", tokenizers={"tokenizer": ""}, segments=("tokenizer",)
    ),
    scale=_LIVE,
    distilled="time_cond_proj_dim",
    notes="eps and v prediction. IP-Adapter images go with every concept.",
    tested=f"{TINY}; the authors' golden values; emoji-unet",
)
SDXL = replace(
    SD,
    family="SDXL",
    pipelines=("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline"),
    text=replace(
        SD.text,
        inputs=("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"),
        embeds=(
            "prompt_embeds",
            "negative_prompt_embeds",
            "pooled_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ),
        conditioning={"prompt_embeds": "encoder_hidden_states", "pooled_prompt_embeds": "text_embeds"},
        tokenizers={"tokenizer": "", "tokenizer_2": ""},
    ),
    limits=(_REFINER,),
    tested=TINY,
    notes="IP-Adapter images go with every concept.",
)

_KOLORS = replace(
    SDXL,
    family="Kolors",
    pipelines=("KolorsPipeline", "KolorsImg2ImgPipeline"),
    text=PromptEncodingSpec(
        embeds=SDXL.text.embeds,
        conditioning=SDXL.text.conditioning,
        options=(),
        fixed={"num_images_per_prompt": 1, "max_sequence_length": 256},
    ),
    limits=(),
    notes="The text encoder reads 256 tokens whatever max_sequence_length is: the pipeline does not hand it on. "
    "IP-Adapter images go with every concept.",
)

_LCM = replace(
    SD,
    family="LCM",
    pipelines=("LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline"),
    mechanism="conditional",
    text=replace(SD.text, inputs=("prompt",)),
    scale=Scale(),
    tested=TINY,
    notes="Few steps: its guidance_scale is an input of the denoiser. IP-Adapter images go with every concept.",
)

_IF = PipelineSpec(
    family="DeepFloyd IF",
    pipelines=("IFPipeline", "IFImg2ImgPipeline", "IFInpaintingPipeline"),
    mechanism="concat",
    denoisers=("unet",),
    positional=("sample", "timestep", "encoder_hidden_states"),
    text=PromptEncodingSpec(options=("clean_caption",), tokenizers={"tokenizer": 77}),
    learned_sigma=True,
    notes="The first stage, in pixels; the learned variance is left as it is.",
)

_KANDINSKY3 = PipelineSpec(
    family="Kandinsky 3",
    pipelines=("Kandinsky3Pipeline", "Kandinsky3Img2ImgPipeline"),
    mechanism="concat",
    denoisers=("unet",),
    positional=("sample", "timestep", "encoder_hidden_states", "encoder_attention_mask"),
    text=PromptEncodingSpec(
        embeds=("prompt_embeds", "negative_prompt_embeds", "attention_mask", "negative_attention_mask"),
        conditioning={"prompt_embeds": "encoder_hidden_states", "attention_mask": "encoder_attention_mask"},
        options=(),
        tokenizers={"tokenizer": 128},
        fixed={"num_images_per_prompt": 1, "_cut_context": True},
    ),
    scale=Scale(shift=1.0, disabled_at=1.0),
    notes="The pipeline computes c + guidance_scale (c - u): its guidance_scale is w - 1, and 1 turns guidance off.",
)

UNET: tuple[PipelineSpec, ...] = (
    SD,
    SDXL,
    _KOLORS,
    _LCM,
    _IF,
    _KANDINSKY3,
    replace(
        SD,
        family="Stable Diffusion with ControlNet",
        pipelines=("StableDiffusionControlNetPipeline",),
        notes=CONTROL,
        tested=TINY,
    ),
    replace(
        SD,
        family="Stable Diffusion with ControlNet, image to image and inpainting",
        pipelines=("StableDiffusionControlNetImg2ImgPipeline", "StableDiffusionControlNetInpaintPipeline"),
        scale=_LOCAL,
        distilled="",
        limits=(NO_LCM,),
        notes=CONTROL,
        tested=TINY,
    ),
    replace(
        SDXL,
        family="SDXL with ControlNet",
        pipelines=("StableDiffusionXLControlNetPipeline", "StableDiffusionXLControlNetUnionPipeline"),
        scale=_LOCAL,
        notes=CONTROL,
    ),
    replace(
        SDXL,
        family="SDXL with ControlNet, image to image and inpainting",
        pipelines=(
            "StableDiffusionXLControlNetImg2ImgPipeline",
            "StableDiffusionXLControlNetInpaintPipeline",
            "StableDiffusionXLControlNetUnionImg2ImgPipeline",
            "StableDiffusionXLControlNetUnionInpaintPipeline",
        ),
        scale=_LOCAL,
        distilled="",
        limits=(NO_LCM, *SDXL.limits),
        notes=CONTROL,
    ),
)
