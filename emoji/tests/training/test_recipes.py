import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import load_file

from semguide_emoji.scenes import World
from semguide_emoji.training import recipes
from semguide_emoji.training.compositor import Compositor
from semguide_emoji.training.data import Batches
from semguide_emoji.training.loop import STATE, TrainingSettings, read_note
from semguide_emoji.training.parts import assembled, assembled_flow
from semguide_emoji.training.presets import PRESETS
from semguide_emoji.training.recipes import RECIPES
from support.refusals import refuses
from support.tiny_set import SETTINGS, TINY

FILES = {
    "vae": "vae/diffusion_pytorch_model.safetensors",
    "clip": "clip/model.safetensors",
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "flow": "flow/diffusion_pytorch_model.safetensors",
    "decoder": "vae/diffusion_pytorch_model.safetensors",
    "judge": "judge/model.safetensors",
    "lora": "lora/pytorch_lora_weights.safetensors",
    "turbo": "turbo/pytorch_lora_weights.safetensors",
}
FROZEN = ("vae", "clip", "tokenizer")
NEEDS = {
    "vae": (),
    "clip": (),
    "unet": FROZEN,
    "flow": FROZEN,
    "decoder": ("vae",),
    "judge": ("vae",),
    "lora": (*FROZEN, "unet"),
    "turbo": (*FROZEN, "unet"),
}


def folder_with(needs: tuple[str, ...], trained: Path, folder: Path) -> Path:
    for part in needs:
        shutil.copytree(trained / part, folder / part)
    return folder


def same_weights(a: Path, b: Path) -> bool:
    one, two = load_file(a), load_file(b)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_was_stopped_goes_on_to_the_same_weights_to_the_bit(name: str, tiny_set: Path, tmp_path: Path):
    settings = replace(TINY.settings[name], steps=2)
    whole, parts = (folder_with(NEEDS[name], tiny_set, tmp_path / kind) for kind in ("whole", "parts"))
    assert RECIPES[name](TINY, settings, whole).step == 2
    assert RECIPES[name](TINY, replace(settings, minutes=1e-9), parts).step == 1
    assert RECIPES[name](TINY, settings, parts).step == 2
    assert same_weights(whole / FILES[name], parts / FILES[name])
    assert same_weights(whole / "training" / name / STATE, parts / "training" / name / STATE)


@pytest.mark.parametrize("name", RECIPES)
def test_all_that_a_step_takes_is_on_the_device(
    name: str, tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """On the meta device, which has no numbers to move elsewhere, and refuses to mix its tensors with a CPU's."""

    class Stepped(Exception):
        pass

    def one_step(recipe: Any, settings: TrainingSettings, folder: Path) -> None:
        del folder
        recipe.model.to(settings.device).train()
        with torch.autocast("cpu", torch.bfloat16):  # there is none for meta
            loss = recipe.loss(0, torch.Generator().manual_seed(0))
        loss.backward()
        assert loss.device.type == "meta"
        raise Stepped

    def composed(device: str, world: World, size: int, batch_size: int, seed: int) -> Batches:
        return Batches(world, size, batch_size, seed, draw=Compositor(world, size, device))

    monkeypatch.setattr(recipes, "train", one_step)
    monkeypatch.setattr(recipes, "batches_for", composed)
    world = replace(TINY.world, nouns=("car", "cat"), colours=("red", "blue"), worn=0.0)
    folder = folder_with(NEEDS[name], tiny_set, tmp_path)
    with pytest.raises(Stepped):
        RECIPES[name](replace(TINY, world=world, drawn_world=world), replace(SETTINGS, device="meta"), folder)


@pytest.mark.parametrize("name", RECIPES)
def test_training_changes_the_weights(name: str, tiny_set: Path, tmp_path: Path):
    longer = folder_with(NEEDS[name], tiny_set, tmp_path)
    RECIPES[name](TINY, replace(TINY.settings[name], steps=3), longer)
    assert not same_weights(longer / FILES[name], tiny_set / FILES[name])


def test_the_lora_recipe_leaves_the_denoiser_as_it_is_and_loads_into_its_pipeline(tiny_set: Path, tmp_path: Path):
    folder = folder_with(NEEDS["lora"], tiny_set, tmp_path)
    RECIPES["lora"](TINY, TINY.settings["lora"], folder)
    assert same_weights(folder / FILES["unet"], tiny_set / FILES["unet"])
    weights = load_file(folder / FILES["lora"])
    assert {name.split(".")[0] for name in weights} == {"unet"}
    assert {weights[name].dtype for name in weights} == {torch.float16}
    pipe = assembled(TINY, folder)
    pipe.load_lora_weights(
        str(folder / "lora"), weight_name="pytorch_lora_weights.safetensors", adapter_name="newcomer"
    )
    loaded = {
        name: part.weight for name, part in pipe.unet.named_modules() if ".lora_" in name and hasattr(part, "weight")
    }
    assert len(loaded) == len(weights)
    assert pipe.get_active_adapters() == ["newcomer"]


def test_the_decoder_recipe_leaves_the_encoder_and_the_scale_untouched(tiny_set: Path, tmp_path: Path):
    folder = folder_with(("vae",), tiny_set, tmp_path)
    before = AutoencoderKL.from_pretrained(folder / "vae")
    RECIPES["decoder"](TINY, TINY.settings["decoder"], folder)
    after = AutoencoderKL.from_pretrained(folder / "vae")
    changed = {name for name, value in before.state_dict().items() if not torch.equal(value, after.state_dict()[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} <= {"decoder", "post_quant_conv"}
    assert before.config["scaling_factor"] == after.config["scaling_factor"]


def test_the_scaling_factor_gives_latents_of_unit_variance(tiny_set: Path):
    vae = AutoencoderKL.from_pretrained(tiny_set / "vae")
    from semguide_emoji.training.vae import encode

    with torch.no_grad():
        latents = encode(vae, Batches(TINY.world, TINY.size, 64, seed=99)(0)[0]) * vae.config["scaling_factor"]
    assert 0.5 < float(latents.std()) < 2.0


def test_a_recipe_without_what_it_builds_on_is_refused(tmp_path: Path):
    for name, missing in (("unet", "vae"), ("flow", "vae"), ("decoder", "vae")):
        with refuses("out", f"must hold {missing}/"):
            RECIPES[name](TINY, TINY.settings[name], tmp_path)


@pytest.mark.parametrize("name", ["unet", "flow"])
def test_a_denoiser_needs_the_text_encoder(name: str, tiny_set: Path, tmp_path: Path):
    folder = folder_with(("vae",), tiny_set, tmp_path)
    with refuses("out", "must hold clip/"):
        RECIPES[name](TINY, TINY.settings[name], folder)


def test_the_tokenizer_of_a_set_is_kept_when_training_goes_on(tiny_set: Path, tmp_path: Path):
    folder = folder_with(("tokenizer",), tiny_set, tmp_path)
    stored = json.loads((folder / "tokenizer" / "tokenizer.json").read_text())
    RECIPES["clip"](TINY, TINY.settings["clip"], folder)
    assert json.loads((folder / "tokenizer" / "tokenizer.json").read_text()) == stored


def test_an_assembled_set_makes_pictures(tiny_set: Path):
    from semguide_emoji.training.unet import sample

    for pipe in (assembled(TINY, tiny_set), assembled_flow(TINY, tiny_set)):
        pictures = sample(pipe, ["a red car", "a cat"], steps=2)
        assert pictures.shape == (2, 3, 32, 32)
        assert bool(pictures.isfinite().all())


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_of_a_shipped_preset_has_settings(name: str):
    preset = PRESETS[name]
    assert preset.settings.keys() == RECIPES.keys()
    assert preset.size % 8 == 0
    assert preset.flow_width % 32 == 0


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@torch.no_grad()
def test_sheets_can_be_drawn(tiny_set: Path, tmp_path: Path):
    from semguide_emoji.clip import EmojiCLIP
    from semguide_emoji.training.flow import FlowRecipe
    from semguide_emoji.training.text import CLIPRecipe
    from semguide_emoji.training.unet import UNetRecipe
    from semguide_emoji.training.vae import VAERecipe

    pipe = assembled(TINY, tiny_set)
    batches = Batches(TINY.world, TINY.size, 4)
    VAERecipe(pipe.vae, batches).sheet(tmp_path / "vae.png")
    UNetRecipe(pipe, batches).sheet(tmp_path / "unet.png")
    FlowRecipe(assembled_flow(TINY, tiny_set), batches).sheet(tmp_path / "flow.png")
    clip = EmojiCLIP.load(tiny_set / "clip")
    CLIPRecipe(clip, pipe.tokenizer, batches).sheet(tmp_path / "clip.png")
    assert size_of(tmp_path / "vae.png") == (16 * 32, 32)
    assert size_of(tmp_path / "unet.png") == size_of(tmp_path / "flow.png") == (8 * 64, 2 * 64)
    assert (tmp_path / "clip.txt").read_text().startswith("right caption first among 4: ")
    assert not list(tmp_path.glob("*.part*"))


def test_a_state_tells_how_far_it_is_without_being_loaded(tiny_set: Path):
    assert {name: read_note(tiny_set / "training" / name / STATE)["step"] for name in RECIPES} == dict.fromkeys(
        RECIPES, 2
    )


def test_a_composed_batch_trains_like_a_rendered_one(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What an accelerator is given, on a CPU: pictures from the atlas, scenes from another process, in two pieces."""
    from semguide_emoji.training.workers import Workers

    def composed(device: str, world: World, size: int, batch_size: int, seed: int) -> Batches:
        return Batches(world, size, batch_size, seed, draw=Compositor(world, size, device), workers=Workers(1, ahead=1))

    monkeypatch.setattr(recipes, "batches_for", composed)
    folder, other = (folder_with(("vae",), tiny_set, tmp_path / name) for name in ("composed", "rendered"))
    preset = replace(TINY, world=replace(TINY.world, nouns=("car", "cat"), colours=("red", "blue"), worn=0.0))
    assert RECIPES["judge"](preset, replace(preset.settings["judge"], minutes=1e-9), folder).step == 1
    resumed = RECIPES["judge"](preset, preset.settings["judge"], folder)
    monkeypatch.undo()
    rendered = RECIPES["judge"](preset, preset.settings["judge"], other)
    assert resumed.step == rendered.step == 2
    assert resumed.loss == pytest.approx(rendered.loss, rel=0.02)


def test_the_full_checkpoints_stay_within_64_mib_in_half_precision():
    from semguide_emoji.clip import CLIPShape, EmojiCLIP
    from semguide_emoji.judge import Judge, JudgeConfig
    from semguide_emoji.training.flow import build_transformer
    from semguide_emoji.training.unet import build_unet
    from semguide_emoji.training.vae import build_vae

    preset = PRESETS["full"]
    with torch.device("meta"):
        vae = build_vae(preset.size, preset.vae_channels, preset.latent_channels)
        clip = EmojiCLIP(CLIPShape(1280, preset.prompt_length, preset.clip_width))
        text = clip.text
        unet = build_unet(vae, preset.clip_width, preset.size // 8, preset.unet_channels)
        flow = build_transformer(vae, 2 * preset.clip_width, preset.size // 8, preset.flow_width, preset.flow_layers)
        judge = Judge(JudgeConfig(preset.world.nouns, preset.judge_width, preset.size))
    half = text.config.num_hidden_layers // 2 / text.config.num_hidden_layers
    counts = {part: sum(p.numel() for p in part.parameters()) for part in (vae, text, clip.image, unet, flow, judge)}
    total = sum(counts.values()) + counts[vae] + counts[text] * (1 + half)
    assert 2 * total <= 64 * 2**20
