import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from semguide.models import EmbeddedModel, LoadOptions, Lora, describe, fingerprint, load, own_scheduler
from semguide.models.derived import LORA, OWN, derived, hash_weights
from semguide.models.weights import folder_weights_fingerprint, weights_fingerprint
from support.plugins import Install
from support.refusals import refuses
from support.tiny.loras import tiny_lora


@pytest.fixture
def few(tiny: Path, tmp_path: Path, installed: Install) -> Path:
    """A checkpoint that is the tiny one with a LoRA and another scheduler."""
    folder = tmp_path / "few"
    tiny_lora(tiny, folder)
    stated = {"base": "toy", "scheduler": "LCMScheduler", "num_inference_steps": 4, "guidance_scale": 1.0}
    (folder / "semguide.json").write_text(json.dumps(stated))
    installed("semguide.models", toy=EmbeddedModel("toy", tiny), few=EmbeddedModel("few", folder))
    return folder


def state(few: Path, **changes: object) -> None:
    file = few / "semguide.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_it_is_loaded_as_its_base_with_the_lora_and_the_scheduler(few: Path, tiny: Path):
    pipe, base = load("few", "cpu"), load(str(tiny), "cpu")
    pipe_lora = safetensors.torch.load_file(few / LORA)
    name = next(key for key in pipe_lora if key.endswith("to_q.lora_A.weight")).removesuffix(".lora_A.weight")
    update = pipe_lora[f"{name}.lora_B.weight"] @ pipe_lora[f"{name}.lora_A.weight"]
    key = name.removeprefix("unet.") + ".weight"
    torch.testing.assert_close(pipe.unet.state_dict()[key], base.unet.state_dict()[key] + update)
    assert set(pipe.unet.state_dict()) == set(base.unet.state_dict())
    assert type(pipe.scheduler).__name__ == "LCMScheduler"
    assert pipe.scheduler.config.beta_start == base.scheduler.config.beta_start


def test_its_folder_is_the_same_checkpoint(few: Path):
    assert describe(str(few)).configuration == describe("few").configuration
    assert type(load(str(few), "cpu").scheduler).__name__ == "LCMScheduler"


def test_it_is_described_by_its_base_and_its_own_defaults(few: Path, tiny: Path):
    found, base = describe("few"), describe(str(tiny))
    assert (found.num_inference_steps, found.guidance_scale) == (4, 1.0)
    assert (found.path, found.configuration) == (few, tiny)
    assert (found.pipeline_class, found.size_multiple) == (base.pipeline_class, base.size_multiple)
    assert own_scheduler(found.path, found.configuration) == "LCMScheduler"


def test_another_lora_and_scheduler_stand_on_top(few: Path):
    options = LoadOptions(loras=(Lora(str(few / LORA), -1.0),), scheduler="DDIMScheduler")
    pipe = load("few", "cpu", options)
    assert type(pipe.scheduler).__name__ == "DDIMScheduler"
    assert pipe.get_list_adapters() == {"unet": ["semguide0"]}


def test_its_fingerprint_is_neither_its_bases_nor_that_of_another_lora(few: Path, tiny: Path):
    found = fingerprint(few)
    assert found != fingerprint(tiny)
    state(few, scheduler="DDIMScheduler")
    assert fingerprint(few) != found
    state(few, scheduler="LCMScheduler", num_inference_steps=8)
    assert fingerprint(few) == found
    changed = {name: 2 * tensor for name, tensor in safetensors.torch.load_file(few / LORA).items()}
    safetensors.torch.save_file(changed, few / LORA)
    assert fingerprint(few) != found


@pytest.mark.parametrize(
    ("base", "told"), [("toi", "beside it or embedded"), ("few", "beside it or embedded"), (3, "a name")]
)
def test_a_base_that_is_not_there_is_refused(few: Path, base: object, told: str):
    state(few, base=base)
    with refuses("model.base", told):
        load("few", "cpu")


def test_a_missing_lora_is_refused(few: Path):
    (few / LORA).unlink()
    with refuses("model", LORA):
        describe("few")


def test_without_peft_it_is_refused_before_anything_is_read(few: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("semguide.models.option_checks.find_spec", lambda name: None)
    monkeypatch.setattr("semguide.models.loading._read", pytest.fail)
    with pytest.raises(ImportError, match="few needs the extra 'lora'"):
        load("few", "cpu")


MATRIX = "encoder.layers.0.mlp.fc1.weight"


@pytest.fixture
def sharing(tiny: Path, tmp_path: Path) -> Path:
    """A checkpoint with another U-Net than the one beside it, and a text encoder with a matrix that that one lacks."""
    base = Path(shutil.copytree(tiny, tmp_path / "base"))
    folder = Path(shutil.copytree(tiny, tmp_path / "sharing"))
    for name in ("vae", "text_encoder"):
        only_file(folder / name).unlink()
    change(only_file(folder / "unet"), lambda name, tensor: 2 * tensor)
    text = safetensors.torch.load_file(only_file(base / "text_encoder"))
    name = next(name for name in text if name.endswith(MATRIX))
    safetensors.torch.save_file({name: -text.pop(name)}, folder / "text_encoder" / OWN)
    safetensors.torch.save_file(text, only_file(base / "text_encoder"))
    shared = {name: hash_weights(base / name) for name in ("text_encoder", "vae")}
    (folder / "semguide.json").write_text(json.dumps({"base": "base", "shared": shared}))
    config = folder / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "scaling_factor": 0.5}))
    return folder


def only_file(folder: Path) -> Path:
    (file,) = folder.glob("*.safetensors")
    return file


def change(file: Path, by: Callable[[str, torch.Tensor], torch.Tensor]) -> None:
    safetensors.torch.save_file({k: by(k, v) for k, v in safetensors.torch.load_file(file).items()}, file)


def test_shared_components_are_the_bases_but_for_what_is_its_own(sharing: Path, tiny: Path):
    pipe, base = load(str(sharing), "cpu"), load(str(tiny), "cpu")
    assert weights(pipe.vae) == pytest.approx(weights(base.vae))
    assert pipe.vae.config.scaling_factor == 0.5
    assert pipe.vae.config.latent_channels == base.vae.config.latent_channels
    assert weights(pipe.unet) == pytest.approx(2 * weights(base.unet))
    theirs = base.text_encoder.state_dict()
    differ = {name: tensor for name, tensor in pipe.text_encoder.state_dict().items() if not tensor.equal(theirs[name])}
    ((name, tensor),) = differ.items()
    assert name.endswith(MATRIX)
    assert torch.equal(tensor, -theirs[name])
    assert (describe(str(sharing)).path, describe(str(sharing)).configuration) == (sharing, sharing)
    assert folder_weights_fingerprint(sharing) == weights_fingerprint(pipe) != weights_fingerprint(base)


def test_a_lora_stands_on_one_that_shares(sharing: Path, tmp_path: Path):
    folder = tmp_path / "on-sharing"
    tiny_lora(sharing, folder)
    (folder / "semguide.json").write_text(json.dumps({"base": "sharing"}))
    found, pipe = fingerprint(folder), load(str(folder), "cpu")
    assert pipe.vae.config.scaling_factor == 0.5
    assert weights(pipe.unet) != pytest.approx(weights(load(str(sharing), "cpu").unet))
    change(only_file(sharing.parent / "base" / "vae"), lambda name, tensor: tensor + 1)
    assert fingerprint(folder) != found


def weights(part: torch.nn.Module) -> float:
    return sum(float(tensor.double().sum()) for tensor in part.state_dict().values())


def test_the_fingerprint_of_one_that_shares_is_of_the_shared_weights_and_the_scheduler_too(sharing: Path):
    found = fingerprint(sharing)
    state(sharing, scheduler="DDIMScheduler")
    assert fingerprint(sharing) != found
    state(sharing, scheduler=None)
    change(only_file(sharing.parent / "base" / "vae"), lambda name, tensor: tensor + 1)
    assert fingerprint(sharing) != found


def test_shared_weights_that_are_not_there_are_refused(sharing: Path):
    base = sharing.parent / "base"
    only_file(base / "vae").unlink()
    with refuses("model", "must have .safetensors weights, which another checkpoint shares", base / "vae"):
        describe(str(sharing))
    shutil.rmtree(base)
    with refuses("model.base", "must be a folder beside it or embedded"):
        describe(str(sharing))


@pytest.mark.parametrize("component", ["vae", "text_encoder"])
def test_other_weights_than_those_shared_are_refused(sharing: Path, component: str):
    change(only_file(sharing.parent / "base" / component), lambda name, tensor: tensor + 1)
    with refuses("model", "has other weights than those shared; take both folders from one export"):
        load(str(sharing), "cpu")


def test_weights_of_its_own_that_are_missing_are_refused(sharing: Path):
    (sharing / "text_encoder" / OWN).unlink()
    with refuses("model", MATRIX):
        load(str(sharing), "cpu")


def test_weights_that_are_there_twice_are_refused(sharing: Path):
    shutil.copy(only_file(sharing.parent / "base" / "vae"), sharing / "vae")
    with refuses("model", "must have no weights of a component that"):
        describe(str(sharing))


def test_a_lora_beside_shared_components_is_refused(sharing: Path):
    tiny_lora(sharing, sharing)
    with refuses("model.shared", "must not stand beside"):
        describe(str(sharing))


@pytest.mark.parametrize("shared", ["vae", ["vae"], {"vae": 1}])
def test_components_without_hashes_are_refused(sharing: Path, shared: object):
    state(sharing, shared=shared)
    with refuses("model.shared", "must be an object of components with the hashes of their weights"):
        load(str(sharing), "cpu")


def test_a_shared_component_that_the_checkpoint_has_not_is_refused(sharing: Path):
    stated = json.loads((sharing / "semguide.json").read_text())["shared"]
    shutil.copytree(sharing.parent / "base" / "vae", sharing.parent / "base" / "vea")
    state(sharing, shared={**stated, "vea": ""})
    with refuses("model.shared", "must be components of its model_index.json"):
        describe(str(sharing))


def test_a_checkpoint_by_itself_is_derived_from_nothing(tiny: Path):
    assert derived(tiny) is None
    assert derived(tiny / "model_index.json") is None
