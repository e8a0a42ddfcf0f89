"""Video other than Wan: CogVideoX, Mochi, Allegro, SkyReels-V2 and HunyuanVideo."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import MASKED, BatchLayout, PipelineSpec, PromptEncodingSpec, Scale

_ONE = {"num_videos_per_prompt": 1}

_COGVIDEOX = PipelineSpec(
    family="CogVideoX",
    pipelines=("CogVideoXPipeline", "CogVideoXImageToVideoPipeline", "CogVideoXVideoToVideoPipeline"),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    text=PromptEncodingSpec(fixed=_ONE),
    scale=Scale(per_step=True, dynamic_args=("use_dynamic_cfg",)),
    rows=BatchLayout(shared=("image_rotary_emb",)),
    channel_dim=-3,
    per_prompt="num_videos_per_prompt",
    notes="Video. v prediction. The pipeline makes one video a prompt.",
)

_MOCHI = PipelineSpec(
    family="Mochi",
    pipelines=("MochiPipeline",),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "encoder_attention_mask"),
    text=replace(MASKED, fixed=_ONE),
    scale=Scale(per_step=True),
    per_prompt="num_videos_per_prompt",
    notes="Video.",
)

_ALLEGRO = PipelineSpec(
    family="Allegro",
    pipelines=("AllegroPipeline",),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "attention_mask", "encoder_attention_mask"),
    text=replace(MASKED, fixed=_ONE, options=("clean_caption", "max_sequence_length")),
    rows=BatchLayout(shared=("image_rotary_emb",)),
    per_prompt="num_videos_per_prompt",
    notes="Video.",
)

_SKYREELS = PipelineSpec(
    family="SkyReels-V2",
    pipelines=("SkyReelsV2Pipeline", "SkyReelsV2ImageToVideoPipeline"),
    mechanism="sequential",
    positional=("hidden_states", "timestep", "encoder_hidden_states"),
    text=PromptEncodingSpec(fixed=_ONE),
    per_prompt="num_videos_per_prompt",
    notes="Video.",
)

_HUNYUAN_VIDEO = PipelineSpec(
    family="HunyuanVideo",
    pipelines=("HunyuanVideoPipeline",),
    mechanism="sequential",
    positional=("hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask", "pooled_projections"),
    text=PromptEncodingSpec(
        inputs=("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"),
        embeds=("prompt_embeds", "pooled_prompt_embeds", "prompt_attention_mask"),
        conditioning={
            "prompt_embeds": "encoder_hidden_states",
            "pooled_prompt_embeds": "pooled_projections",
            "prompt_attention_mask": "encoder_attention_mask",
        },
        options=("prompt_template", "max_sequence_length"),
        tokenizers={"tokenizer": "max_sequence_length", "tokenizer_2": ""},
        fixed=_ONE,
        together=False,
        negative="",
    ),
    scale=Scale(arguments=("true_cfg_scale",), required=True),
    embedded=True,
    per_prompt="num_videos_per_prompt",
    notes="Video. As Flux: guidance_embeds at their own guidance_scale, true_cfg_scale > 1 if asked.",
)

_HUNYUAN_SKYREELS = replace(
    _HUNYUAN_VIDEO,
    family="SkyReels-V1, image to video",
    pipelines=("HunyuanSkyreelsImageToVideoPipeline",),
    scale=Scale(arguments=("true_cfg_scale",)),
    embedded=False,
    notes="Video. The scale is true_cfg_scale. The image goes with every concept.",
)

VIDEO: tuple[PipelineSpec, ...] = (
    _COGVIDEOX,
    replace(
        _COGVIDEOX,
        family="CogVideoX Fun Control",
        pipelines=("CogVideoXFunControlPipeline",),
        notes="Video. v prediction. The control video goes with every concept. One prompt a call.",
    ),
    _MOCHI,
    _ALLEGRO,
    _SKYREELS,
    _HUNYUAN_VIDEO,
    _HUNYUAN_SKYREELS,
)
