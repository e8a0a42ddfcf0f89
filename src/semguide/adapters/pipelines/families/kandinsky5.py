"""Kandinsky 5, images and videos: predictions whose channels come last."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import BatchLayout, PipelineSpec, PromptEncodingSpec

_BLURRY = (
    "Static, 2D cartoon, cartoon, 2d animation, paintings, images, worst quality, low quality, ugly, deformed, "
    "walking backwards"
)
"""The negative prompt of the video pipelines where the caller gives none."""

_IMAGE = PipelineSpec(
    family="Kandinsky 5, images",
    pipelines=("Kandinsky5T2IPipeline",),
    mechanism="sequential",
    positional=("hidden_states", "encoder_hidden_states", "timestep", "pooled_projections"),
    text=PromptEncodingSpec(
        embeds=("prompt_embeds_qwen", "prompt_embeds_clip", ""),
        conditioning={"prompt_embeds_qwen": "encoder_hidden_states", "prompt_embeds_clip": "pooled_projections"},
        together=False,
        negative="",
        tokenizers={"tokenizer": "max_sequence_length", "tokenizer_2": ""},
    ),
    rows=BatchLayout(
        shared=("visual_rope_pos", "text_rope_pos", "scale_factor", "sparse_params"),
        places={"text_rope_pos": "encoder_hidden_states"},
    ),
    channel_dim=-1,
)

KANDINSKY5: tuple[PipelineSpec, ...] = (
    _IMAGE,
    replace(
        _IMAGE,
        family="Kandinsky 5, videos",
        pipelines=("Kandinsky5T2VPipeline", "Kandinsky5I2VPipeline"),
        text=replace(_IMAGE.text, fixed={"num_videos_per_prompt": 1}, negative=_BLURRY),
        per_prompt="num_videos_per_prompt",
        notes="Video.",
    ),
)
