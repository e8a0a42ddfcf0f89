import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import CLIPTextModel

from semguide_emoji import ASSETS
from semguide_emoji.clip import CLIPShape, EmojiCLIP, is_emoji_clip, tokenizer_folder
from semguide_emoji.training.parts import plain
from support.refusals import refuses

SHAPE = CLIPShape(vocabulary=40, length=6, width=16, layers=2, channels=(8, 16), size=32)
IDS = torch.tensor([[0, 5, 6, 1, 1, 1], [0, 7, 1, 1, 1, 1]])
PICTURES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def random_clip(seed: int = 0) -> EmojiCLIP:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        clip = EmojiCLIP(SHAPE).eval()
        for weight in clip.image.parameters():  # the branches start at zero
            torch.nn.init.normal_(weight, std=0.2)
        return clip


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """emoji-clip beside the checkpoint that has its text tower."""
    clip = random_clip()
    plain(clip.text).half().save_pretrained(tmp_path / "owner" / "text_encoder")
    clip.save_beside(tmp_path / "clip", "owner")
    return tmp_path


@torch.no_grad()
def test_what_was_saved_whole_is_loaded_exactly(tmp_path: Path):
    clip = random_clip()
    clip.save(tmp_path / "clip")
    assert torch.equal(EmojiCLIP.load(tmp_path / "clip").similarity(IDS, PICTURES), clip.similarity(IDS, PICTURES))
    assert tokenizer_folder(tmp_path / "clip") == tmp_path / "tokenizer"


@torch.no_grad()
def test_beside_the_checkpoint_with_its_text_tower_it_is_the_same_up_to_half_precision(assets: Path):
    loaded, half = EmojiCLIP.load(assets / "clip"), random_clip().half().float()
    assert torch.equal(loaded.similarity(IDS, PICTURES), half.similarity(IDS, PICTURES))
    assert loaded.shape == SHAPE
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert tokenizer_folder(assets / "clip") == assets / "owner" / "tokenizer"


def test_the_text_tower_is_not_stored_a_second_time(assets: Path):
    stored = load_file(assets / "clip" / "model.safetensors")
    assert {v.dtype for v in stored.values()} == {torch.float16}
    assert [k for k in stored if k.startswith("text.")] == ["text.text_projection.weight"]
    assert "log_scale" in stored


def test_another_text_encoder_is_refused(assets: Path):
    shutil.rmtree(assets / "owner")
    with refuses("folder", "must lie beside owner with the text encoder"):
        EmojiCLIP.load(assets / "clip")
    plain(random_clip(1).text).save_pretrained(assets / "owner" / "text_encoder")
    with refuses("folder", "this is another one"):
        EmojiCLIP.load(assets / "clip")


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    CLIPTextModel(random_clip().text.config).save_pretrained(tmp_path)
    assert not is_emoji_clip(tmp_path)
    with refuses("folder", "must hold config.json and model.safetensors of an emoji-clip"):
        EmojiCLIP.load(tmp_path)


def test_a_set_from_before_sizes_were_stored_was_trained_at_64(tmp_path: Path):
    random_clip().save(tmp_path)
    stored = json.loads((tmp_path / "config.json").read_text())
    del stored["size"]
    (tmp_path / "config.json").write_text(json.dumps(stored))
    assert EmojiCLIP.load(tmp_path).shape.size == 64


@torch.no_grad()
def test_the_embedded_one_belongs_to_the_embedded_unet_and_knows_a_car_from_an_apple():
    from transformers import CLIPTokenizer

    from semguide_emoji.scenes import Scene, SceneObject
    from semguide_emoji.training.data import pixels
    from semguide_emoji.training.text import tokenize

    folder = ASSETS / "emoji-clip"
    clip = EmojiCLIP.load(folder)
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_folder(folder))
    scenes = [Scene((SceneObject(noun, "red", 4, 4, 8),), "cream") for noun in ("car", "apple")]
    similarity = clip.similarity(tokenize(tokenizer, ["a red car", "a red apple"], "cpu"), pixels(scenes, 64))
    assert similarity.argmax(dim=0).tolist() == [0, 1]
    assert sum(file.stat().st_size for file in folder.rglob("*")) < 2_000_000
