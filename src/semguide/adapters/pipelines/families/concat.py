"""Transformers that get the rows of e(0) and e(P) in one call."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import (
    CONTROL,
    MASKED,
    TINY,
    BatchLayout,
    PipelineSpec,
    PromptEncodingSpec,
    Scale,
)

_SD3 = PipelineSpec(
    family="Stable Diffusion 3, 3.5",
    pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep"),
    text=PromptEncodingSpec(
        inputs=("prompt", "prompt_2", "prompt_3", "negative_prompt", "negative_prompt_2", "negative_prompt_3"),
        embeds=(
            "prompt_embeds",
            "negative_prompt_embeds",
            "pooled_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ),
        conditioning={"prompt_embeds": "encoder_hidden_states", "pooled_prompt_embeds": "pooled_projections"},
        options=("clip_skip", "max_sequence_length"),
        lora="joint_attention_kwargs",
        tokenizers={"tokenizer": "", "tokenizer_2": "", "tokenizer_3": "max_sequence_length"},
        segments=("tokenizer", "tokenizer_3"),
    ),
    scale=Scale(per_step=True),
    extra=("skip_layers",),
    notes="Skip-layer guidance is added to the steered prediction.",
    tested=f"{TINY}; emoji-flow",
)

_PIXART = PipelineSpec(
    family="PixArt-Alpha, PixArt-Sigma",
    pipelines=("PixArtAlphaPipeline", "PixArtSigmaPipeline"),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    text=replace(MASKED, options=("clean_caption", "max_sequence_length")),
    learned_sigma=True,
    notes="eps prediction; the learned variance is left as it is.",
)

_SANA = replace(
    _PIXART,
    family="Sana",
    pipelines=("SanaPipeline",),
    text=replace(
        MASKED,
        options=("clean_caption", "max_sequence_length", "complex_human_instruction"),
        lora="attention_kwargs",
    ),
    notes="Concepts get the complex human instruction too, as prompts do.",
)

_SPRINT = replace(
    _SANA,
    family="Sana Sprint",
    pipelines=("SanaSprintPipeline", "SanaSprintImg2ImgPipeline"),
    mechanism="conditional",
    text=replace(_SANA.text, inputs=("prompt",), embeds=("prompt_embeds", "prompt_attention_mask"), together=False),
    learned_sigma=False,
    notes="Few steps: its guidance_scale is an input of the denoiser. Concepts get the complex human instruction too.",
)

_AURA = PipelineSpec(
    family="AuraFlow",
    pipelines=("AuraFlowPipeline",),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    text=replace(MASKED, conditioning=PromptEncodingSpec().conditioning, lora="attention_kwargs"),
)

_COGVIEW3 = PipelineSpec(
    family="CogView3-Plus",
    pipelines=("CogView3PlusPipeline",),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    scale=Scale(per_step=True),
    notes="v prediction. Without a negative prompt, e(0) is that of zeros.",
)

_HIDREAM = PipelineSpec(
    family="HiDream-I1",
    pipelines=("HiDreamImagePipeline",),
    mechanism="concat",
    positional=("hidden_states", "timesteps", "encoder_hidden_states_t5", "encoder_hidden_states_llama3"),
    text=PromptEncodingSpec(
        inputs=(
            *("prompt", "prompt_2", "prompt_3", "prompt_4"),
            *("negative_prompt", "negative_prompt_2", "negative_prompt_3", "negative_prompt_4"),
        ),
        embeds=(
            *("prompt_embeds_t5", "negative_prompt_embeds_t5"),
            *("prompt_embeds_llama3", "negative_prompt_embeds_llama3"),
            *("pooled_prompt_embeds", "negative_pooled_prompt_embeds"),
        ),
        conditioning={
            "prompt_embeds_t5": "encoder_hidden_states_t5",
            "prompt_embeds_llama3": "encoder_hidden_states_llama3",
            "pooled_prompt_embeds": "pooled_embeds",
        },
        lora="attention_kwargs",
        tokenizers=dict.fromkeys(("tokenizer_3", "tokenizer_4"), "max_sequence_length"),
    ),
    scale=Scale(per_step=True),
    rows=BatchLayout(dims={"encoder_hidden_states_llama3": 1}),
    sign=-1.0,
)

_Z_IMAGE = PipelineSpec(
    family="Z-Image",
    pipelines=("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
    mechanism="concat",
    positional=("x", "t", "cap_feats"),
    text=PromptEncodingSpec(conditioning={"prompt_embeds": "cap_feats"}, fixed={}),
    scale=Scale(per_step=True, shift=1.0),
    rows=BatchLayout(lists=("x", "cap_feats")),
    cond_first=True,
    sign=-1.0,
    notes="The pipeline computes c + guidance_scale (c - u): its guidance_scale is w - 1, and 0 turns guidance off.",
)

_BRIA = PipelineSpec(
    family="Bria 3.2",
    pipelines=("BriaPipeline",),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep", "img_ids", "txt_ids"),
    text=PromptEncodingSpec(embeds=("prompt_embeds", "negative_prompt_embeds", ""), lora="attention_kwargs"),
    scale=Scale(per_step=True),
    rows=BatchLayout(shared=("img_ids", "txt_ids")),
    notes="Without a negative prompt, e(0) is that of zeros.",
)

CONCAT: tuple[PipelineSpec, ...] = (
    _SD3,
    replace(
        _SD3,
        family="Stable Diffusion 3 with ControlNet",
        pipelines=("StableDiffusion3ControlNetPipeline", "StableDiffusion3ControlNetInpaintingPipeline"),
        notes=CONTROL,
        tested=TINY,
    ),
    _PIXART,
    _SANA,
    _SPRINT,
    replace(_SANA, family="Sana with ControlNet", pipelines=("SanaControlNetPipeline",), notes=CONTROL),
    _AURA,
    _COGVIEW3,
    _HIDREAM,
    _Z_IMAGE,
    _BRIA,
)
