import json
import shutil
from pathlib import Path

import pytest

from semguide.errors import UnsupportedPipeline
from semguide.models import STEERABLE, check_folder
from semguide.models.folder import variant
from support.refusals import refuses


def test_a_complete_checkpoint_gives_its_pipeline_class(tiny: Path):
    assert check_folder(tiny) == "StableDiffusionPipeline"


def test_a_folder_without_model_index_is_refused_naming_it(tmp_path: Path):
    with refuses("model", "must be a diffusers checkpoint, with a model_index.json"):
        check_folder(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "\ufeff"])
def test_a_broken_model_index_is_refused(tmp_path: Path, text: str):
    (tmp_path / "model_index.json").write_text(text, encoding="utf-8")
    with refuses("model", "model_index.json"):
        check_folder(tmp_path)


@pytest.mark.parametrize("name", ["FluxKontextPipeline", None, ["pipeline.py", "Mine"]])
def test_a_pipeline_that_cannot_be_steered_is_refused(tmp_path: Path, name: object):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": name}))
    with pytest.raises(UnsupportedPipeline, match="that needs a prompt only"):
        check_folder(tmp_path)


def test_a_missing_component_is_named(copy: Path):
    shutil.rmtree(copy / "vae")
    with refuses("model", "must have its component 'vae'"):
        check_folder(copy)


def test_missing_weights_are_named(copy: Path):
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with refuses("model", "must have .safetensors weights", copy / "unet"):
        check_folder(copy)


def test_pickled_weights_are_refused(copy: Path):
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with refuses("model", "must have safetensors weights, not only .bin files"):
        check_folder(copy)


def test_fp16_files_alone_are_the_fp16_variant(copy: Path):
    assert variant(copy) is None
    for file in copy.glob("*/*.safetensors"):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    assert variant(copy) == "fp16"


def test_steerable_classes_are_diffusers_classes():
    import diffusers

    assert all(hasattr(diffusers, name) for name in STEERABLE)
