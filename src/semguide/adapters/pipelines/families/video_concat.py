"""Video transformers that get the rows of e(0) and e(P) in one call: Latte, EasyAnimate and Sana-Video."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import MASKED, PipelineSpec, PromptEncodingSpec

_LATTE = PipelineSpec(
    family="Latte",
    pipelines=("LattePipeline",),
    mechanism="concat",
    positional=("hidden_states", "timestep", "encoder_hidden_states"),
    text=PromptEncodingSpec(options=("clean_caption", "mask_feature"), tokenizers={"tokenizer": 120}),
    learned_sigma=True,
    notes="Video. eps prediction; the learned variance is left as it is.",
)

_EASY_ANIMATE = PipelineSpec(
    family="EasyAnimate",
    pipelines=("EasyAnimatePipeline", "EasyAnimateInpaintPipeline"),
    mechanism="concat",
    positional=("hidden_states", "timestep", "timestep_cond", "encoder_hidden_states"),
    text=PromptEncodingSpec(
        embeds=(
            *("prompt_embeds", "negative_prompt_embeds"),
            *("prompt_attention_mask", "negative_prompt_attention_mask"),
        ),
        options=(),
        fixed={"num_images_per_prompt": 1, "max_sequence_length": 256},
        negative="",
    ),
    notes="Video. Videos and masks go with every concept; inpainting takes one prompt a call.",
)

_SANA_VIDEO = PipelineSpec(
    family="Sana-Video",
    pipelines=("SanaVideoPipeline", "SanaImageToVideoPipeline"),
    mechanism="concat",
    positional=("hidden_states", "encoder_hidden_states", "timestep"),
    text=replace(
        MASKED,
        options=("clean_caption", "max_sequence_length", "complex_human_instruction"),
        fixed={"num_videos_per_prompt": 1},
        lora="attention_kwargs",
    ),
    per_prompt="num_videos_per_prompt",
    learned_sigma=True,
    notes="Video. Concepts get the complex human instruction too, as prompts do.",
)

VIDEO_CONCAT: tuple[PipelineSpec, ...] = (_LATTE, _EASY_ANIMATE, _SANA_VIDEO)
