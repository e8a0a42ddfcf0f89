"""Cosmos Predict 1 and 2: c + guidance_scale (c - u), in the space of x0."""

from __future__ import annotations

from dataclasses import replace

from semguide.adapters.pipelines.families.spec import BatchLayout, PipelineSpec, PromptEncodingSpec, Scale

_SCALE = "The pipeline computes c + guidance_scale (c - u): its guidance_scale is w - 1, and 1 turns guidance off."

_IMAGE = PipelineSpec(
    family="Cosmos Predict 2, text to image",
    pipelines=("Cosmos2TextToImagePipeline",),
    mechanism="sequential",
    positional=("hidden_states", "timestep", "encoder_hidden_states"),
    scale=Scale(per_step=True, shift=1.0, disabled_at=1.0),
    rows=BatchLayout(shared=("padding_mask",)),
    notes=f"{_SCALE} Tested with a safety checker that does nothing.",
)

COSMOS: tuple[PipelineSpec, ...] = (
    _IMAGE,
    replace(
        _IMAGE,
        family="Cosmos Predict 1, text to video",
        pipelines=("CosmosTextToWorldPipeline",),
        text=PromptEncodingSpec(fixed={"num_videos_per_prompt": 1}),
        per_prompt="num_videos_per_prompt",
        notes=f"Video. {_IMAGE.notes}",
    ),
    replace(
        _IMAGE,
        family="Cosmos Predict 2.5",
        pipelines=("Cosmos2_5_PredictBasePipeline",),
        text=PromptEncodingSpec(fixed={"num_videos_per_prompt": 1}),
        rows=BatchLayout(shared=("padding_mask",)),
        per_prompt="num_videos_per_prompt",
        notes=f"Video. {_IMAGE.notes} An image or a video to continue goes with every concept.",
    ),
)
