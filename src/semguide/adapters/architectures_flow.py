"""Transformers that predict a flow velocity."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.architecture import Architecture, Rows, Scale, Text

_TRUE_CFG = Scale(arguments=("true_cfg_scale",))

_SD3 = Architecture(
    family="Stable Diffusion 3, 3.5",
    pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep"),
    text=Text(
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
        tokenizers=("tokenizer_3", "tokenizer", "tokenizer_2"),
    ),
    scale=Scale(live=True),
    extra=("skip_layers",),
    notes="Skip-layer guidance is added to the steered prediction.",
)

_FLUX = Architecture(
    family="Flux",
    pipelines=("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep", "img_ids", "txt_ids"),
    text=Text(
        inputs=("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"),
        embeds=("prompt_embeds", "pooled_prompt_embeds", ""),
        conditioning={"prompt_embeds": "encoder_hidden_states", "pooled_prompt_embeds": "pooled_projections"},
        lora="joint_attention_kwargs",
        together=False,
        negative="",
        tokenizers=("tokenizer_2", "tokenizer"),
    ),
    scale=_TRUE_CFG,
    rows=Rows(shared=("img_ids", "txt_ids")),
    notes="True classifier-free guidance: the scale is true_cfg_scale; guidance_scale stays the embedded one.",
)

_QWEN = Architecture(
    family="Qwen-Image",
    pipelines=("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "encoder_hidden_states_mask", "timestep", "img_shapes"),
    text=Text(
        embeds=("prompt_embeds", "prompt_embeds_mask"),
        conditioning={
            "prompt_embeds": "encoder_hidden_states",
            "prompt_embeds_mask": "encoder_hidden_states_mask",
        },
        together=False,
        negative=" ",
    ),
    scale=_TRUE_CFG,
    rows=Rows(lists=("img_shapes",)),
    notes="The scale is true_cfg_scale. The pipeline's own rescaling to the norm of e(P) comes after the correction.",
)

_WAN = Architecture(
    family="Wan 2.1, 2.2",
    pipelines=("WanPipeline", "WanImageToVideoPipeline"),
    mechanism="sequential",
    denoisers=("transformer", "transformer_2"),
    positional=("hidden_states", "timestep", "encoder_hidden_states"),
    text=Text(fixed={"num_videos_per_prompt": 1}),
    scale=Scale(arguments=("guidance_scale", "guidance_scale_2")),
    per_prompt="num_videos_per_prompt",
    notes="Video. Both transformers of Wan 2.2 are steered, each with its own scale.",
)

FLOW: tuple[Architecture, ...] = (
    _SD3,
    replace(
        _SD3,
        family="Stable Diffusion 3 with ControlNet",
        pipelines=("StableDiffusion3ControlNetPipeline", "StableDiffusion3ControlNetInpaintingPipeline"),
        notes="The ControlNet hears the prompt only; its residuals are reused for the concepts.",
    ),
    _FLUX,
    _QWEN,
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
