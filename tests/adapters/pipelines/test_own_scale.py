"""What a pipeline evaluates at a scale, by its class and its checkpoint's files, as the loaded pipeline does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from semguide.adapters.pipelines.own_scale import branches, branches_at, check_scale, never_guides, own_scale
from support.families.run import ROWS
from support.families.table import FEW_STEPS
from support.refusals import refuses

GUIDED = {"sd": "both", "flux": "both", "flux-embedded": "embedded", "hunyuan-image": "both", "kandinsky3": "both"}


def model(pipeline_class: str, **more: Any) -> Any:
    return SimpleNamespace(
        **{"name": "m", "guidance_embeds": False, "distilled": False, **more}, **{"pipeline_class": pipeline_class}
    )


def described(pipe: Any) -> Any:
    config = (getattr(pipe, "unet", None) or pipe.transformer).config
    return model(
        type(pipe).__name__,
        guidance_embeds=bool(config.get("guidance_embeds")),
        distilled=config.get("time_cond_proj_dim") is not None,
    )


@pytest.mark.parametrize("scale", [1.0, 5.0])
@pytest.mark.parametrize("name", [*GUIDED, *FEW_STEPS])
def test_the_files_of_a_checkpoint_tell_what_its_pipeline_evaluates(name: str, scale: float) -> None:
    pipe = (ROWS[name] if name in GUIDED else FEW_STEPS[name]).make()
    expected = branches_at(pipe, scale)
    assert branches(described(pipe), scale) == expected
    if scale == 1.0:
        assert expected == ("conditional" if name not in ("flux-embedded", "hunyuan-image") else GUIDED[name])
    elif name in GUIDED:
        assert expected == GUIDED[name]


def test_only_distilled_checkpoints_never_guide() -> None:
    never = {name for name, row in FEW_STEPS.items() if never_guides(described(row.make()))}
    assert never == {"lcm", "lcm-img2img", "sd-lcm-unet", "sana-sprint", "sana-sprint-img2img"}


def test_a_scale_of_1_is_what_each_pipeline_calls_off() -> None:
    found = {name: own_scale(FEW_STEPS[name].make(), 1.0) for name in ("sdxl-turbo", "z-image-turbo", "flux-schnell")}
    assert found == {
        "sdxl-turbo": {"guidance_scale": 1.0},
        "z-image-turbo": {"guidance_scale": 0.0},
        "flux-schnell": {"true_cfg_scale": 1.0},
    }


def test_guidance_that_cannot_be_turned_off_is_told() -> None:
    with refuses("guidance_scale", "must be > 1 for m, whose guidance cannot be turned off", 1.0):
        check_scale(model("HunyuanImagePipeline"), 1.0)


def test_a_scale_at_which_a_pipeline_does_not_guide_is_told() -> None:
    kandinsky = model("Kandinsky3Pipeline")
    with refuses("guidance_scale", "must be 1 or more than 2", 1.5):
        check_scale(kandinsky, 1.5)
    check_scale(kandinsky, 1.0)
    check_scale(kandinsky, 2.5)
    check_scale(model("FluxPipeline", guidance_embeds=True), 1.0)
    check_scale(model("LatentConsistencyModelPipeline", distilled=True), 1.5)
