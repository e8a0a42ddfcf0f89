"""Single files in the layout of each family's original code are really loaded, offline, by a folder's configuration."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from semguide import SGT, steer
from semguide.models import LoadOptions, describe, load
from support.refusals import refuses
from support.tiny import denoisers, original
from support.tiny.calls import call
from support.tiny.pipelines import tiny
from support.tiny.stable_diffusion import tiny_stable_diffusion
from support.tiny.texts import clip_text


def wide_sdxl() -> Any:
    """Build an SDXL whose text encoders are of two widths, by which the loader tells them apart."""
    from diffusers import UNet2DConditionModel

    pipe = tiny("StableDiffusionXLPipeline")
    pipe.text_encoder_2 = clip_text(pipe.tokenizer_2, projection=True, hidden_size=48, projection_dim=48)
    sizes = {"cross_attention_dim": 32 + 48, "projection_class_embeddings_input_dim": 6 * 8 + 48}
    pipe.unet = UNet2DConditionModel(**{**denoisers.SDXL, **sizes})
    return pipe


KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], original.Weights]]] = {
    "sd-1": (tiny_stable_diffusion, original.original_sd),
    "sd-2": (lambda: tiny_stable_diffusion("v_prediction"), original.original_sd2),
    "sdxl": (wide_sdxl, original.original_sdxl),
    "sd3": (lambda: tiny("StableDiffusion3Pipeline"), original.original_sd3),
    "flux": (lambda: tiny("FluxPipeline"), original.original_flux),
}


@pytest.fixture
def narrow_flux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let diffusers' converter, in which the width of Flux is written, take the tiny one's."""
    from diffusers.loaders import single_file_model

    entry = single_file_model.SINGLE_FILE_LOADABLE_CLASSES["FluxTransformer2DModel"]
    convert: Any = entry["checkpoint_mapping_fn"]
    config = tiny("FluxPipeline").transformer.config
    width = config.num_attention_heads * config.attention_head_dim
    constants = tuple(width if value == 3072 else value for value in convert.__code__.co_consts)
    narrow = types.FunctionType(convert.__code__.replace(co_consts=constants), convert.__globals__)
    monkeypatch.setitem(entry, "checkpoint_mapping_fn", narrow)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_original_layout_makes_the_picture_of_its_folder(
    kind: str, tmp_path: Path, narrow_flux: None
) -> None:
    make, layout = KINDS[kind]
    pipe = make()
    pipe.save_pretrained(tmp_path / "folder")
    (tmp_path / "files").mkdir()
    weights = {name: value.contiguous().clone() for name, value in layout(pipe).items()}
    save_file(weights, tmp_path / "files" / "model.safetensors")
    options = LoadOptions(config=str(tmp_path / "folder"))
    assert describe(str(tmp_path / "files"), options.config).pipeline_class == type(pipe).__name__
    found = load(str(tmp_path / "files"), "cpu", options)
    for name, part in pipe.components.items():
        if isinstance(part, torch.nn.Module):
            own, other = part.state_dict(), found.components[name].state_dict()
            assert own.keys() == other.keys()
            assert all(torch.equal(own[key], other[key]) for key in own), name
    found.set_progress_bar_config(disable=True)
    pipe.set_progress_bar_config(disable=True)
    scale: dict[str, Any] = {"true_cfg_scale": 4.0} if kind == "flux" else {}
    size = {"height": 16, "width": 16} if kind == "flux" else {}
    assert torch.equal(call(steer(found, SGT()), **scale, **size), call(steer(pipe, SGT()), **scale, **size))


def test_a_folder_of_several_files_asks_which(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file({"x": torch.zeros(1)}, tmp_path / f"{name}.safetensors")
    with refuses("model", "this folder holds 2 .safetensors files"):
        load(str(tmp_path))
