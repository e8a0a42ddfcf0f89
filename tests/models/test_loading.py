import json
import shutil
from pathlib import Path

import pytest
import torch

from semguide.errors import SemguideError, UnsupportedPipeline
from semguide.models import LoadOptions, Source, SourceKind, fetch, load, loading
from support.refusals import refuses


def test_a_folder_loads_as_its_pipeline_in_float32(tiny: Path):
    pipe = load(str(tiny), device="cpu")
    assert type(pipe).__name__ == "StableDiffusionPipeline"
    assert {pipe.unet.dtype, pipe.vae.dtype, pipe.text_encoder.dtype} == {torch.float32}


def test_half_precision_files_load_as_float32(tiny: Path, tmp_path: Path):
    load(str(tiny), device="cpu").to(torch.float16).save_pretrained(tmp_path / "half")
    assert load(str(tmp_path / "half"), device="cpu").unet.dtype == torch.float32


def test_another_dtype_can_be_asked_for(tiny: Path):
    pipe = load(str(tiny), "cpu", LoadOptions(dtype="bfloat16"))
    assert {pipe.unet.dtype, pipe.vae.dtype, pipe.text_encoder.dtype} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("scheduler/scheduler_config.json", '{"_class_name": "DDIMScheduler", "beta_schedule": "x"}'),
        ("unet/config.json", '{"_class_name": "UNet2DConditionModel", "down_block_types": ["x"]}'),
        ("unet/diffusion_pytorch_model.safetensors", "not weights"),
    ],
)
def test_a_checkpoint_that_diffusers_cannot_read_is_one_sentence(tiny: Path, tmp_path: Path, file: str, content: str):
    broken = Path(shutil.copytree(tiny, tmp_path / "broken"))
    (broken / file).write_text(content)
    with refuses("model", "must be a whole checkpoint that StableDiffusionPipeline reads (", broken) as caught:
        load(str(broken), device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "key", "value", "kind"),
    [
        ("scheduler/scheduler_config.json", "beta_end", "x", "a number"),
        ("scheduler/scheduler_config.json", "prediction_type", 5, "a text"),
        ("scheduler/scheduler_config.json", "clip_sample", "no", "true or false"),
        ("unet/config.json", "down_block_types", [3], "a list of which each is a text"),
        ("vae/config.json", "layers_per_block", {}, "a number"),
    ],
)
def test_a_value_of_another_kind_in_a_part_is_named_with_field_and_file(
    tiny: Path, tmp_path: Path, file: str, key: str, value: object, kind: str
):
    broken = Path(shutil.copytree(tiny, tmp_path / "broken")) / file
    broken.write_text(json.dumps({**json.loads(broken.read_text()), key: value}))
    with refuses(f"model.{key}", f"must be {kind} in {broken}", value):
        load(str(tmp_path / "broken"), device="cpu")


def test_a_device_that_is_not_there_is_refused(tiny: Path):
    with refuses("device"):
        load(str(tiny), device="cuda:99")


def test_a_hub_model_that_cannot_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def offline(name: str) -> Path:
        raise OSError("We couldn't connect\nto the hub")

    monkeypatch.setattr(loading, "_download_index", offline)
    with pytest.raises(SemguideError, match="check name and network, or give a local diffusers folder") as caught:
        load("owner/name", device="cpu")
    assert "\n" not in str(caught.value)


def test_a_hub_model_that_cannot_be_steered_is_refused_before_its_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxKontextPipeline"}')
    monkeypatch.setattr(loading, "_download_index", lambda name: tmp_path / "model_index.json")
    monkeypatch.setattr(loading, "_download", lambda *_: pytest.fail("weights were downloaded"))
    with pytest.raises(UnsupportedPipeline, match="owner/name is a FluxKontextPipeline"):
        fetch(Source("owner/name", SourceKind.HUB, None))


def test_a_hub_model_is_loaded_from_its_snapshot(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "_download_index", lambda name: tiny / "model_index.json")
    monkeypatch.setattr(loading, "_download", lambda *_: tiny)
    assert type(load("owner/name", device="cpu")).__name__ == "StableDiffusionPipeline"
