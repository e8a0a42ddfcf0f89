from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from semguide.models import LoadOptions, SourceKind, describe, fingerprint, load
from support.refusals import refuses


@pytest.fixture
def single(tmp_path: Path) -> Path:
    """A file with a tensor of the names of Stable Diffusion 1."""
    file = tmp_path / "sd.safetensors"
    safetensors.torch.save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 4, 1, 1)}, file)
    return file


def test_a_single_file_loads_by_the_configuration_that_is_named(
    single: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    from diffusers import StableDiffusionPipeline

    given: dict[str, Any] = {}

    def from_single_file(path: str, **options: Any) -> Any:
        given.update(options, path=path)
        return StableDiffusionPipeline.from_pretrained(tiny, use_safetensors=True)

    monkeypatch.setattr(StableDiffusionPipeline, "from_single_file", from_single_file)
    load(str(single), "cpu", LoadOptions(config=str(tiny)))
    told = {"path": str(single), "config": str(tiny), "dtype": torch.float32, "local_files_only": True}
    assert {name: given.pop(name) for name in told} == told
    assert set(given) == {"vae", "text_encoder"}, "what the file does not hold comes from the folder"


def test_a_single_file_is_described_by_its_configuration(single: Path, tiny: Path):
    found, folder = describe(str(single), str(tiny)), describe(str(tiny))
    assert (found.kind, found.path, found.pipeline_class) == (SourceKind.FILE, single, folder.pipeline_class)
    assert (found.height, found.size_multiple) == (folder.height, folder.size_multiple)


def test_the_hash_of_a_single_file_is_of_its_weights_and_configuration(single: Path, copy: Path):
    options = LoadOptions(config=str(copy))
    first = fingerprint(single, options)
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert fingerprint(single, options) == first
    safetensors.torch.save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.ones(4, 4, 1, 1)}, single)
    assert fingerprint(single, options) != first


def test_without_a_configuration_in_the_cache_it_is_said_what_to_name(
    single: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with refuses("config", "stable-diffusion-v1-5/stable-diffusion-v1-5 is not in the hub's cache"):
        describe(str(single))


def test_a_configuration_that_is_none_is_refused(single: Path, tmp_path: Path):
    with refuses("config", "model_index.json"):
        describe(str(single), str(tmp_path))


def test_a_lora_as_a_model_is_refused_with_where_it_belongs(tmp_path: Path):
    file = tmp_path / "style.safetensors"
    safetensors.torch.save_file({"unet.to_q.lora_A.weight": torch.zeros(1)}, file)
    with refuses("model", "not a LoRA"):
        describe(str(file))


def test_a_file_of_another_kind_needs_its_configuration_named(tmp_path: Path):
    file = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"something": torch.zeros(1)}, file)
    with refuses("config", "not of Stable Diffusion 1, 2, XL, 3 or Flux"):
        describe(str(file))
