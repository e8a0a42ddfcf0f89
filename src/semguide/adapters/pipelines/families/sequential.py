"""Transformers that are called for e(P) and then for e(0), or for e(P) only."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import (
    CONTROL,
    MASKED,
    BatchLayout,
    Limit,
    PipelineSpec,
    PromptEncodingSpec,
    Scale,
)

_TRUE_CFG = Scale(arguments=("true_cfg_scale",))

_FLUX = PipelineSpec(
    family="Flux",
    pipelines=("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep", "img_ids", "txt_ids"),
    text=PromptEncodingSpec(
        inputs=("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"),
        embeds=("prompt_embeds", "pooled_prompt_embeds", ""),
        conditioning={"prompt_embeds": "encoder_hidden_states", "pooled_prompt_embeds": "pooled_projections"},
        lora="joint_attention_kwargs",
        together=False,
        negative="",
        tokenizers={"tokenizer": "", "tokenizer_2": "max_sequence_length"},
        segments=("tokenizer_2",),
    ),
    scale=replace(_TRUE_CFG, required=True),
    rows=BatchLayout(shared=("img_ids", "txt_ids")),
    embedded=True,
    notes="Checkpoints with guidance_embeds (dev) are steered at their own guidance_scale, in their one call a step, "
    "all others without guidance (schnell). A true_cfg_scale > 1 asks both for classifier-free guidance.",
)

_QWEN = PipelineSpec(
    family="Qwen-Image",
    pipelines=("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "encoder_hidden_states_mask", "timestep", "img_shapes"),
    text=PromptEncodingSpec(
        embeds=("prompt_embeds", "prompt_embeds_mask"),
        conditioning={
            "prompt_embeds": "encoder_hidden_states",
            "prompt_embeds_mask": "encoder_hidden_states_mask",
        },
        together=False,
        negative=" ",
    ),
    scale=_TRUE_CFG,
    rows=BatchLayout(lists=("img_shapes",)),
    notes="The scale is true_cfg_scale. The pipeline's own rescaling to the norm of e(P) comes after the correction.",
)

_EMBEDDED = replace(
    _FLUX,
    family="Flux Fill, Control and ControlNet with images",
    pipelines=(
        *("FluxFillPipeline", "FluxControlPipeline", "FluxControlImg2ImgPipeline", "FluxControlInpaintPipeline"),
        *("FluxControlNetImg2ImgPipeline", "FluxControlNetInpaintPipeline"),
    ),
    mechanism="embedded",
    text=replace(_FLUX.text, inputs=("prompt", "prompt_2"), negative=None, segments=()),
    scale=Scale(),
    embedded=False,
    notes="Only checkpoints with guidance_embeds, as those of dev, at their own guidance_scale. Images, masks and "
    "residuals of a ControlNet go with every concept.",
)

_CHROMA = PipelineSpec(
    family="Chroma",
    pipelines=("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "img_ids", "txt_ids", "attention_mask"),
    text=PromptEncodingSpec(
        embeds=(
            *("prompt_embeds", "", "prompt_attention_mask"),
            *("negative_prompt_embeds", "", "negative_prompt_attention_mask"),
        ),
        conditioning={"prompt_embeds": "encoder_hidden_states", "prompt_attention_mask": "attention_mask"},
        lora="joint_attention_kwargs",
    ),
    rows=BatchLayout(shared=("img_ids", "txt_ids"), tails=("attention_mask",)),
    notes="Each concept has a mask of its own tokens.",
)

_NUCLEUS = PipelineSpec(
    family="Nucleus-Image",
    pipelines=("NucleusMoEImagePipeline",),
    mechanism="sequential",
    positional=("hidden_states", "img_shapes", "encoder_hidden_states", "encoder_hidden_states_mask", "timestep"),
    text=replace(_QWEN.text, options=("max_sequence_length", "return_index"), negative=""),
    rows=_QWEN.rows,
    sign=-1.0,
    notes="The pipeline's own rescaling to the norm of e(P) comes after the correction.",
)

_OVIS = PipelineSpec(
    family="Ovis-Image",
    pipelines=("OvisImagePipeline",),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "img_ids", "txt_ids"),
    text=PromptEncodingSpec(embeds=("prompt_embeds", "negative_prompt_embeds", "", "")),
    rows=BatchLayout(shared=("img_ids", "txt_ids")),
    notes="Concepts get the system prompt too.",
)

_LONGCAT = PipelineSpec(
    family="LongCat-Image",
    pipelines=("LongCatImagePipeline",),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "img_ids", "txt_ids"),
    text=PromptEncodingSpec(
        embeds=("prompt_embeds", ""),
        options=(),
        together=False,
        negative="",
        rewriters=("enable_prompt_rewrite",),
        tokenizers={"tokenizer": 512},
    ),
    scale=Scale(per_step=True),
    rows=BatchLayout(shared=("img_ids", "txt_ids")),
    notes="Concepts are read from the prompt before it is rewritten; tested without rewriting. The pipeline's own "
    "enable_cfg_renorm comes after the correction.",
)

_LUMINA2 = PipelineSpec(
    family="Lumina 2",
    pipelines=("Lumina2Pipeline",),
    mechanism="sequential",
    positional=("hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask"),
    text=replace(MASKED, options=("system_prompt", "max_sequence_length")),
    sign=-1.0,
    notes="Concepts get the system prompt too. The pipeline's own cfg_normalization comes after the correction.",
)

_COGVIEW4 = PipelineSpec(
    family="CogView4",
    pipelines=("CogView4Pipeline",),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    scale=Scale(per_step=True),
    notes="A batch of prompts is padded without a mask; with batch_invariant each prompt is read as it is alone.",
)

_HUNYUAN = PipelineSpec(
    family="HunyuanImage 2.1",
    pipelines=("HunyuanImagePipeline",),
    mechanism="sequential",
    positional=("hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask"),
    text=PromptEncodingSpec(
        embeds=("prompt_embeds", "prompt_embeds_mask", "prompt_embeds_2", "prompt_embeds_mask_2"),
        conditioning={
            "prompt_embeds": "encoder_hidden_states",
            "prompt_embeds_mask": "encoder_attention_mask",
            "prompt_embeds_2": "encoder_hidden_states_2",
            "prompt_embeds_mask_2": "encoder_attention_mask_2",
        },
        options=(),
        tokenizers={"tokenizer": 1000},
        fixed={"num_images_per_prompt": 1, "batch_size": 1},
        together=False,
    ),
    scale=Scale(guiders=("guider", "ocr_guider")),
    limits=(
        Limit(
            "transformer",
            "guidance_embeds",
            "distilled transformers",
            "has a distilled transformer that takes the guidance scale as an input (guidance_embeds) and makes no "
            "unconditional prediction; use the checkpoint that it was distilled from",
        ),
    ),
    notes="Its guiders must be ClassifierFreeGuidance; the mixed guidance of the checkpoint projects the correction.",
)

_WAN = PipelineSpec(
    family="Wan 2.1, 2.2",
    pipelines=("WanPipeline", "WanImageToVideoPipeline"),
    mechanism="sequential",
    denoisers=("transformer", "transformer_2"),
    positional=("hidden_states", "timestep", "encoder_hidden_states"),
    text=PromptEncodingSpec(fixed={"num_videos_per_prompt": 1}),
    scale=Scale(arguments=("guidance_scale", "guidance_scale_2")),
    per_prompt="num_videos_per_prompt",
    notes="Video. Both transformers of Wan 2.2 are steered, each with its own scale.",
)

SEQUENTIAL: tuple[PipelineSpec, ...] = (
    _FLUX,
    replace(
        _FLUX, family="Flux with ControlNet", pipelines=("FluxControlNetPipeline",), notes=f"{CONTROL} {_FLUX.notes}"
    ),
    _EMBEDDED,
    _CHROMA,
    _QWEN,
    replace(
        _QWEN,
        family="Qwen-Image with ControlNet",
        pipelines=("QwenImageControlNetPipeline", "QwenImageControlNetInpaintPipeline"),
        notes=f"{CONTROL} {_QWEN.notes}",
    ),
    _OVIS,
    _NUCLEUS,
    _LONGCAT,
    _LUMINA2,
    _COGVIEW4,
    replace(
        _COGVIEW4,
        family="CogView4 Control",
        pipelines=("CogView4ControlPipeline",),
        notes="The control image goes with every concept.",
    ),
    _HUNYUAN,
    _WAN,
    replace(
        _WAN,
        family="Wan, video to video",
        pipelines=("WanVideoToVideoPipeline",),
        denoisers=("transformer",),
        scale=Scale(),
        notes="Video.",
    ),
)
