import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from semguide.models import LoadOptions, Lora, check_fit, check_machine
from semguide.models.folder import variants
from support.refusals import refuses


def test_float16_on_the_cpu_is_refused():
    with refuses("dtype", "float16 on the CPU"):
        check_machine(LoadOptions(dtype="float16"), "cpu")
    check_machine(LoadOptions(dtype="float16"), "cuda:1")


@pytest.mark.parametrize("offload", ["model", "sequential"])
def test_offload_needs_an_accelerator(offload: str):
    with refuses("offload", "no accelerator", offload):
        check_machine(LoadOptions(offload=offload), "cpu")
    check_machine(LoadOptions(offload=offload), "mps")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a pickle in a zip", b"\xff" * 64])
@pytest.mark.parametrize("argument", ["loras", "embeddings"])
def test_what_is_no_safetensors_file_is_refused(argument: str, content: bytes, tmp_path: Path):
    file = tmp_path / "a.safetensors"
    options = LoadOptions(loras=(Lora(str(file)),)) if argument == "loras" else LoadOptions(embeddings=(str(file),))
    with refuses(argument, "that is there"):
        check_machine(options, "cpu")
    file.write_bytes(content)
    with refuses(argument, "must be a .safetensors file"):
        check_machine(options, "cpu")


def test_a_safetensors_file_by_another_name_is_refused(tmp_path: Path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "a.bin")
    with refuses("loras", "must be a .safetensors file"):
        check_machine(LoadOptions(loras=(Lora(str(tmp_path / "a.bin")),)), "cpu")


def test_a_variant_that_the_folder_lacks_is_refused_with_those_it_has(copy: Path):
    with refuses("variant", "it has none", "fp16"):
        check_fit(LoadOptions(variant="fp16"), copy, copy)
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16-00001-of-00002.safetensors"))
    assert variants(copy) == {"fp16"}
    check_fit(LoadOptions(variant="fp16"), copy, copy)
    with refuses("variant", "(fp16)", "bf16"):
        check_fit(LoadOptions(variant="bf16"), copy, copy)


def test_an_autoencoder_that_decodes_tiles_only_needs_them(copy: Path):
    index = json.loads((copy / "model_index.json").read_text(encoding="utf-8"))
    index["vae"] = ["diffusers", "AutoencoderKLAllegro"]
    (copy / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    with refuses("vae_tiling", "must be on for AutoencoderKLAllegro, which decodes tiles only", False):
        check_fit(LoadOptions(), copy, copy)
    check_fit(LoadOptions(vae_tiling=True), copy, copy)


def test_a_configuration_beside_a_folder_is_refused(tiny: Path):
    with refuses("config", "left out for a folder", "/elsewhere"):
        check_fit(LoadOptions(config="/elsewhere"), tiny, tiny)


@pytest.mark.parametrize("name", ["NoScheduler", "FlowMatchEulerDiscreteScheduler", "UNet2DConditionModel"])
def test_a_scheduler_of_no_kin_is_refused_with_those_that_are(name: str, tiny: Path):
    with refuses("scheduler", "DPMSolverMultistepScheduler", name):
        check_fit(LoadOptions(scheduler=name), tiny, tiny)


def test_what_the_pipeline_cannot_load_is_refused(copy: Path):
    (copy / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusion3Pipeline"}))
    with refuses("embeddings", "loads no textual inversion"):
        check_fit(LoadOptions(embeddings=("/a.safetensors",)), copy, copy)
    with refuses("vae_tiling", "decodes no tiles"):
        check_fit(LoadOptions(vae_tiling=True), copy, copy)
