from typing import Any

import pytest

from semguide.models import LoadOptions, Lora, parse_lora
from support.refusals import refuses

WHOLE = LoadOptions(
    dtype="bfloat16",
    variant="fp16",
    offload="group",
    vae_tiling=True,
    loras=(Lora("/a.safetensors", 0.5), Lora("/b.safetensors")),
    embeddings=("/c.safetensors",),
    scheduler="DDIMScheduler",
    config="/folder",
)


def test_options_survive_json():
    assert LoadOptions.from_json(WHOLE.to_json()) == WHOLE


def test_what_json_leaves_out_has_its_default():
    assert LoadOptions.from_json({}) == LoadOptions()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dtype", 32),
        ("variant", 16),
        ("vae_tiling", "yes"),
        ("loras", [{"path": "a"}]),
        ("loras", "a"),
        ("loras", [{"path": "a", "scale": True}]),
        ("embeddings", [1]),
        ("config", []),
    ],
)
def test_json_of_another_type_is_refused(key: str, value: Any):
    with refuses(f"loading.{key}", value=value):
        LoadOptions.from_json({key: value})


def test_an_unknown_key_is_refused():
    with refuses("loading", "must be an object of"):
        LoadOptions.from_json({"speed": 3})


@pytest.mark.parametrize(("name", "value"), [("dtype", "int8"), ("offload", "disk")])
def test_an_unknown_name_is_refused_with_the_valid_ones(name: str, value: str):
    options: dict[str, Any] = {name: value}
    with refuses(name, "must be one of", value):
        LoadOptions(**options)


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_the_scale_of_a_lora_is_finite(scale: float):
    with refuses("loras", "finite"):
        LoadOptions(loras=(Lora("/a.safetensors", scale),))


def test_a_file_is_given_once():
    with refuses("embeddings", "different files"):
        LoadOptions(embeddings=("/a.safetensors", "/a.safetensors"))


def test_auto_is_float32():
    assert LoadOptions(dtype="auto").resolved == LoadOptions()


@pytest.mark.parametrize(
    ("text", "lora"),
    [
        ("/a.safetensors", Lora("/a.safetensors")),
        ("/a.safetensors:0.5", Lora("/a.safetensors", 0.5)),
        ("/a.safetensors:-1", Lora("/a.safetensors", -1.0)),
        ("/odd:name.safetensors", Lora("/odd:name.safetensors")),
    ],
)
def test_a_lora_is_a_path_and_perhaps_a_scale(text: str, lora: Lora):
    assert parse_lora(text) == lora
