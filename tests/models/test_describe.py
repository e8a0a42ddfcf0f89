import json
from pathlib import Path

import pytest
from diffusers import DPMSolverMultistepScheduler

from semguide.models import LoadOptions, call_defaults, describe, embedded
from semguide.runs.budget import denoiser_steps
from support.refusals import refuses


def test_sizes_come_from_the_checkpoint(tiny: Path):
    model = describe(str(tiny))
    assert (model.height, model.width, model.size_multiple, model.smallest) == (64, 64, 8, 16)
    assert (model.num_inference_steps, model.guidance_scale) == (None, None)


def test_a_transformer_gives_its_sizes_by_patches(tmp_path: Path):
    parts = {"transformer": {"sample_size": 128, "patch_size": 2}, "vae": {"block_out_channels": [1, 1, 1, 1]}}
    for name, config in parts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (tmp_path / name / "weights.safetensors").touch()
    entries = {"transformer": ["diffusers", "SD3Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]}
    index = {"_class_name": "StableDiffusion3Pipeline", **entries}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    model = describe(str(tmp_path))
    assert (model.height, model.width, model.size_multiple, model.smallest) == (1024, 1024, 16, 16)


def test_semguide_json_gives_the_defaults(copy: Path):
    own = {"num_inference_steps": 25, "guidance_scale": 5.0, "height": 64, "smallest": 64, "largest": 128, "note": "x"}
    (copy / "semguide.json").write_text(json.dumps(own))
    model = describe(str(copy))
    assert (model.num_inference_steps, model.guidance_scale, model.smallest, model.largest) == (25, 5.0, 64, 128)


@pytest.mark.parametrize(
    "own", [{"height": "64"}, {"num_inference_steps": 2.5}, {"guidance_scale": -1}, {"width": True}]
)
def test_semguide_json_with_a_wrong_value_is_refused(copy: Path, own: dict):
    (copy / "semguide.json").write_text(json.dumps(own))
    with refuses(f"model.{next(iter(own))}", "must be a positive"):
        describe(str(copy))


def test_broken_configuration_is_refused(copy: Path):
    (copy / "unet" / "config.json").write_text("{")
    with refuses("model", "must have files of valid JSON"):
        describe(str(copy))


def test_a_scheduler_may_have_minus_infinity_as_diffusers_writes_it(copy: Path):
    DPMSolverMultistepScheduler().save_pretrained(copy / "scheduler")
    assert "-Infinity" in (copy / "scheduler" / "scheduler_config.json").read_text()
    model = describe(str(copy))
    assert denoiser_steps(model, LoadOptions())(10) == 10


def test_a_hub_id_must_be_fetched_first():
    with refuses("model", "must be on this machine", "owner/name"):
        describe("owner/name")


def test_call_defaults_are_those_of_the_class():
    assert call_defaults("StableDiffusionPipeline") == (50, 7.5)


@pytest.mark.parametrize("name", sorted(embedded()))
def test_every_embedded_checkpoint_states_steps_and_scale(name: str):
    model = describe(name)
    assert model.num_inference_steps
    assert model.guidance_scale
    assert model.height % model.size_multiple == 0


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("unet/config.json", "sample_size", "64"),
        ("unet/config.json", "sample_size", [64]),
        ("unet/config.json", "block_out_channels", 4),
        ("unet/config.json", "block_out_channels", [8] * 1000),
        ("unet/config.json", "in_channels", -4),
        ("vae/config.json", "latent_channels", [4]),
        ("vae/config.json", "block_out_channels", {}),
    ],
)
def test_a_configuration_with_a_value_of_another_kind_is_named_with_its_field(
    copy: Path, file: str, key: str, value: object
):
    path = copy / file
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with refuses(f"model.{key}", f" in {path}", value):
        describe(str(copy))


@pytest.mark.parametrize("text", ["[" * 99_999, "[]", "3", '{"sample_size": 1e999}'])
@pytest.mark.parametrize("name", ["unet/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json"])
def test_a_configuration_that_is_no_object_is_refused(copy: Path, name: str, text: str):
    (copy / name).write_text(text)
    with refuses("model", "must have", copy / name):
        describe(str(copy))
