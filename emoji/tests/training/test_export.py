import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from semguide.models import describe, load
from semguide.models.derived import OWN
from semguide_emoji.clip import EmojiCLIP
from semguide_emoji.judge import Judge
from semguide_emoji.training.cards import SHARES
from semguide_emoji.training.data import Batches
from semguide_emoji.training.export import FLOW, GUIDANCE_SCALE, STEPS, TURBO, as_exported, clip_as_exported, export
from semguide_emoji.training.history import HISTORY
from semguide_emoji.training.smaller import share
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.unet import build_scheduler, sample
from support.refusals import refuses
from support.tiny_set import TINY

SEEN = {"Judge on 5 objects": "0.900"}
SINGLE = {"emoji-single single": "0.500 [0.400, 0.600]"}
FIRST = {"Right caption first among 128": "0.909"}
ROWS = {"emoji-unet": SEEN | SINGLE, "emoji-flow": SEEN | SINGLE, "emoji-judge": SEEN, "emoji-clip": FIRST}
NAMES = ["emoji-clip", "emoji-flow", "emoji-judge", "emoji-turbo", "emoji-unet"]


@pytest.fixture(scope="module")
def assets(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    (folder / "emoji-unet" / "text_encoder_2").mkdir(parents=True)
    (folder / "emoji-unet" / "text_encoder_2" / "old.bin").write_text("of an earlier export")
    (folder / "emoji-unet" / HISTORY).write_text('{"runs": []}')
    assert sorted(export(TINY, tiny_set, folder, ROWS)) == [folder / name for name in NAMES]
    return folder


def test_a_folder_that_is_no_earlier_export_is_not_replaced(tiny_set: Path, tmp_path: Path):
    (tmp_path / "emoji-judge").mkdir()
    with refuses("to", "must hold nothing but an earlier export as emoji-judge", tmp_path):
        export(TINY, tiny_set, tmp_path, ROWS)
    assert [file.name for file in tmp_path.rglob("*")] == ["emoji-judge"]


@pytest.mark.parametrize("history", ['{"runs": []}', '{"runs": 3}', '{"epochs": 3}'])
def test_a_folder_with_another_file_beside_the_list_of_runs_is_not_replaced(
    tiny_set: Path, tmp_path: Path, history: str
):
    folder = tmp_path / "emoji-judge"
    folder.mkdir()
    (folder / HISTORY).write_text(history)
    (folder / "thesis.txt").write_text("mine")
    with refuses("to", "must hold nothing but an earlier export as emoji-judge", tmp_path):
        export(TINY, tiny_set, tmp_path, ROWS)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_the_export_is_an_ordinary_pipeline_that_makes_the_same_pictures(assets: Path, tiny_set: Path):
    pipe = StableDiffusionPipeline.from_pretrained(assets / "emoji-unet")
    prompts = ["a red car and a blue apple"]
    assert torch.equal(sample(pipe, prompts, steps=2), sample(as_exported(TINY, tiny_set), prompts, steps=2))


def test_the_flow_export_shares_with_the_unet_beside_it_and_makes_the_same_pictures(assets: Path, tiny_set: Path):
    pipe = load(str(assets / "emoji-flow"), "cpu")
    assert isinstance(pipe, StableDiffusion3Pipeline)
    assert isinstance(pipe.scheduler, FlowMatchEulerDiscreteScheduler)
    assert pipe.tokenizer_max_length == TINY.flow_prompt_length
    prompts = ["a red car and a blue apple"]
    assert torch.equal(sample(pipe, prompts, steps=2), sample(as_exported(TINY, tiny_set, FLOW), prompts, steps=2))


def test_the_turbo_export_is_a_lora_of_the_unet_and_makes_the_same_pictures(assets: Path, tiny_set: Path):
    pipe, prompts = load(str(assets / "emoji-turbo"), "cpu"), ["a red car and a blue apple"]
    found = [sample(one, prompts, 2, 1.0) for one in (pipe, as_exported(TINY, tiny_set, TURBO))]
    assert torch.equal(*found)
    assert not torch.equal(found[0], sample(load(str(assets / "emoji-unet"), "cpu"), prompts, 2, 1.0))
    size = sum(file.stat().st_size for file in (assets / "emoji-turbo").rglob("*.safetensors"))
    assert size < 2**23


def test_the_package_loads_and_describes_it(assets: Path):
    model = describe(str(assets / "emoji-unet"))
    assert (model.height, model.width, model.smallest, model.largest) == (32, 32, 32, 32)
    assert (model.num_inference_steps, model.guidance_scale) == (STEPS, GUIDANCE_SCALE)
    assert next(load(str(assets / "emoji-unet")).unet.parameters()).dtype == torch.float32


def test_weights_are_safetensors_in_half_precision_or_8_bits_and_nothing_else(assets: Path):
    files = [file.relative_to(assets) for file in assets.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".safetensors", ".json", ".md"}
    for file in assets.rglob("*.safetensors"):
        for name, value in load_file(file).items():
            eight = "transformer" in file.parts and name.endswith(".weight") and value.ndim > 1
            assert value.dtype == (torch.float8_e4m3fn if eight else torch.float16) or not value.is_floating_point(), (
                name
            )


def test_what_the_flow_has_in_common_with_the_unet_is_stored_once(assets: Path):
    flow = assets / "emoji-flow"
    assert list(json.loads((flow / "semguide.json").read_text())["shared"]) == ["text_encoder", "vae"]
    assert SHARES in (flow / "README.md").read_text()
    assert SHARES not in (assets / "emoji-unet" / "README.md").read_text()
    assert [file.name for file in (flow / "text_encoder").glob("*.safetensors")] == [OWN]
    assert not list((flow / "vae").glob("*.safetensors"))


def test_a_flow_with_another_autoencoder_keeps_it(assets: Path, tiny_set: Path, tmp_path: Path):
    for name in ("emoji-unet", "emoji-flow"):
        as_exported(TINY, tiny_set, name).save_pretrained(tmp_path / name)
    weights = tmp_path / "emoji-flow" / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors["quant_conv.bias"] += 1
    save_file(tensors, weights)
    assert list(share(tmp_path / "emoji-flow", tmp_path / "emoji-unet")) == ["text_encoder"]
    assert weights.is_file()


def test_there_is_no_safety_checker_no_image_processor_and_no_trace_of_the_training_folder(
    assets: Path, tiny_set: Path
):
    index = json.loads((assets / "emoji-unet" / "model_index.json").read_text())
    for part in ("safety_checker", "feature_extractor", "image_encoder"):
        assert index[part] == [None, None]
    assert index["requires_safety_checker"] is False
    texts = [file.read_text(encoding="utf-8") for file in assets.rglob("*") if file.suffix in {".json", ".md"}]
    assert not any(str(tiny_set) in text for text in texts)


def test_scheduler_tokenizer_and_latent_scale_are_those_of_the_training(assets: Path, tiny_set: Path):
    pipe = StableDiffusionPipeline.from_pretrained(assets / "emoji-unet")
    trained = as_exported(TINY, tiny_set)
    own = {k: v for k, v in build_scheduler().config.items() if not k.startswith("_")}
    assert {k: v for k, v in pipe.scheduler.config.items() if not k.startswith("_")} == own
    assert pipe.vae.config["scaling_factor"] == trained.vae.config["scaling_factor"]
    assert pipe.tokenizer.model_max_length == TINY.prompt_length
    text = "an orange apple, größe 🚗"
    assert pipe.tokenizer(text)["input_ids"] == trained.tokenizer(text)["input_ids"]


def test_the_judge_is_the_trained_one(assets: Path, tiny_set: Path):
    pictures = Batches(TINY.world, TINY.size, 2)(0)[0]
    with torch.no_grad():
        exported = Judge.load(assets / "emoji-judge")(pictures)
        trained = Judge.load(tiny_set / "judge")(pictures)
    assert all(torch.equal(a, b) for a, b in zip(exported, trained, strict=True))


@torch.no_grad()
def test_clip_is_the_trained_one_and_reads_the_text_tower_from_the_unet_beside_it(assets: Path, tiny_set: Path):
    pictures, captions = Batches(TINY.world, TINY.size, 2)(0)
    trained, tokenizer = clip_as_exported(tiny_set)
    ids = tokenize(tokenizer, captions, "cpu")
    exported = EmojiCLIP.load(assets / "emoji-clip")
    assert torch.equal(exported.similarity(ids, pictures), trained.similarity(ids, pictures))
    assert exported.shape.size == TINY.size


def test_cards_tell_data_recipe_quality_and_licence(assets: Path):
    clip, flow, judge, turbo, unet = ((assets / name / "README.md").read_text(encoding="utf-8") for name in NAMES)
    for card in (clip, unet, flow, judge, turbo):
        assert "SIL Open Font License 1.1" in card
        assert "Exported at commit " in card
        assert ("| Judge on 5 objects | 0.900 |" in card) is (card not in (clip, turbo))
    assert "| Right caption first among 128 | 0.909 |" in clip
    assert "| `semguide train clip` | 2 | 4 | 0.001 |" in clip
    assert "semguide train unet" not in clip
    assert "| `semguide train unet` | 2 | 4 | 0.001 |" in unet
    assert "PSNR on 512 held-out scenes" in unet
    assert '"drop_colour": 0.12' in unet
    assert "emoji-single" not in judge
    assert "| `semguide train flow` | 2 | 4 | 0.001 |" in flow
    assert "StableDiffusion3Pipeline" in flow
    assert "| `semguide train turbo` | 2 | 4 | 0.001 |" in turbo
    assert "semguide train unet" not in flow


def test_an_earlier_export_is_replaced_as_a_whole(assets: Path):
    assert not (assets / "emoji-unet" / "text_encoder_2").exists()
    assert sorted(path.name for path in assets.iterdir()) == NAMES


@pytest.mark.parametrize("part", ["vae", "clip", "training/unet", "training/flow", "training/judge"])
def test_an_unfinished_set_is_refused_and_leaves_the_earlier_export(part: str, tiny_set: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_set, tmp_path / "set"))
    shutil.rmtree(folder / part)
    kept = tmp_path / "assets" / "emoji-unet" / "README.md"
    kept.parent.mkdir(parents=True)
    kept.write_text("earlier")
    (kept.parent / HISTORY).write_text('{"runs": []}')
    recipe = part.rsplit("/", maxsplit=1)[-1]
    with refuses("out", f"must hold {recipe}/") as caught:
        export(TINY, folder, tmp_path / "assets")
    assert caught.value.remedy == f"run `semguide train {recipe}` first"
    assert kept.read_text() == "earlier"
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["emoji-unet"]


def test_only_what_the_set_holds_is_written(tiny_set: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_set, tmp_path / "set"))
    for part in ("flow", "judge"):
        shutil.rmtree(folder / part)
    left = ("emoji-unet", "emoji-turbo", "emoji-clip")
    assert export(TINY, folder, tmp_path / "assets") == [tmp_path / "assets" / name for name in left]
    shutil.rmtree(folder / "unet")
    with refuses("out", "must hold unet/"):
        export(TINY, folder, tmp_path / "assets")
