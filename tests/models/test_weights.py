"""The fingerprint of a model's weights: one for a folder, its pipeline and every way to load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import accelerate
import pytest
import torch

from semguide.models import LoadOptions, load
from semguide.models.weights import folder_weights_fingerprint, weights_fingerprint
from support.tiny.stable_diffusion import save_tiny_checkpoint, tiny_sdxl, tiny_stable_diffusion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny-sd")


@pytest.fixture(scope="module")
def expected(folder: Path) -> str:
    found = folder_weights_fingerprint(folder)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_folder_and_its_pipeline_have_the_same_in_every_dtype(folder: Path, expected: str, dtype: str) -> None:
    assert len(expected) == 32
    assert weights_fingerprint(load(str(folder), "cpu", LoadOptions(dtype=dtype))) == expected


def test_a_folder_has_the_same_wherever_it_lies(folder: Path, expected: str, tmp_path: Path) -> None:
    folder_of_half: Any = load(str(folder), "cpu").to(torch.float16)
    folder_of_half.save_pretrained(tmp_path / "moved")
    assert folder_weights_fingerprint(tmp_path / "moved") == expected


def test_offload_hides_no_weights(folder: Path, expected: str) -> None:
    pipe = load(str(folder), "cpu")
    for part in (pipe.unet, pipe.text_encoder):
        accelerate.cpu_offload(part, torch.device("cpu"))
    assert pipe.unet.conv_in.weight.is_meta
    assert weights_fingerprint(pipe) == expected


def test_another_model_and_a_fine_tuned_one_have_others(folder: Path, expected: str) -> None:
    pipe = load(str(folder), "cpu")
    with torch.no_grad():
        pipe.unet.mid_block.attentions[0].proj_in.weight[:4, :4] *= -1
    found = {expected, weights_fingerprint(pipe), weights_fingerprint(tiny_sdxl())}
    assert len(found) == 3


def test_a_textual_inversion_changes_nothing_and_a_lora_does(expected: str) -> None:
    from peft import LoraConfig

    pipe = tiny_stable_diffusion()
    pipe.text_encoder.resize_token_embeddings(pipe.text_encoder.config.vocab_size + 1)
    assert weights_fingerprint(pipe) == expected
    pipe.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False))
    loaded = weights_fingerprint(pipe)
    pipe.set_adapters(["default"], [0.5])
    assert len({expected, loaded, weights_fingerprint(pipe)}) == 3


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32])
def test_packed_weights_count_by_their_bytes(dtype: torch.dtype) -> None:
    first, second = tiny_stable_diffusion(), tiny_stable_diffusion()
    for pipe, value in ((first, 1), (second, 2)):
        pipe.unet.conv_in.register_buffer("packed", torch.full((8, 1), value, dtype=dtype))
    assert weights_fingerprint(first) != weights_fingerprint(second)


def test_a_pipeline_whose_text_encoder_is_deleted_is_another_model(expected: str) -> None:
    pipe = tiny_stable_diffusion()
    del pipe.text_encoder
    assert weights_fingerprint(pipe) not in (None, expected)


def test_weights_without_values_have_none() -> None:
    pipe = tiny_stable_diffusion()
    pipe.unet.to("meta")
    assert weights_fingerprint(pipe) is None
