import inspect
from typing import Any

import diffusers
import pytest

from semguide.adapters.pipelines.families.registry import ARCHITECTURES
from semguide.models import STEERABLE, TEXT_TO_VIDEO, VIDEOS

MORE_THAN_A_PROMPT = {
    *("image", "control_image", "video", "mask_image", "images", "controlnet_conditioning_scale", "strength"),
    *("adapter_conditioning_scale", "gligen_phrases", "source_concept", "control_video", "pose_video"),
}
"""Arguments of pipelines that need or edit something beside the prompt."""
OF_ANOTHER_KIND = {"StableDiffusionModelEditingPipeline"}
CONTINUES_IF_ASKED = {"Cosmos2_5_PredictBasePipeline"}
"""Pipelines that take a picture or a video to continue, and none as well."""


def parameters(name: str) -> Any:
    return inspect.signature(getattr(diffusers, name).__call__).parameters


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_steerable_pipeline_of_a_prompt_alone_is_loaded(name: str):
    taken = set(parameters(name))
    if "num_inference_steps" not in taken:
        pytest.skip("its requirements are not installed")
    alone = (not taken & MORE_THAN_A_PROMPT or name in CONTINUES_IF_ASKED) and name not in OF_ANOTHER_KIND
    assert (name in STEERABLE) == alone


def test_what_is_loaded_is_in_the_table():
    assert set(STEERABLE) <= set(ARCHITECTURES)


def test_pictures_have_no_number_of_frames():
    counted = {"num_frames", "video_length"}
    assert not any(set(parameters(name)) & counted for name in set(STEERABLE) - set(TEXT_TO_VIDEO))


@pytest.mark.parametrize("name", TEXT_TO_VIDEO)
def test_the_defaults_of_videos_are_those_of_the_pipeline(name: str):
    taken, video = parameters(name), VIDEOS[name]
    assert taken[video.argument].default == video.num_frames
    if taken["height"].default is not None:
        assert (taken["height"].default, taken["width"].default) == (video.height, video.width)
