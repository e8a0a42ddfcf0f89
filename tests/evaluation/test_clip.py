from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image

from models.tiny_checkpoint import tiny_tokenizer
from semguide.errors import InvalidArgument
from semguide.evaluation.clip import clip_fingerprint, find_clip, load_clip
from semguide.models.catalog import ASSETS
from semguide.scenes import render
from semguide.training.presets import SMALL


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random CLIPModel with its tokenizer, as transformers saves them."""
    from transformers import CLIPConfig, CLIPModel

    folder, tokenizer = tmp_path_factory.mktemp("clip"), tiny_tokenizer()
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "projection_dim": 8}
    end = tokenizer.eos_token_id
    text = {**small, **heads, "vocab_size": len(tokenizer), "eos_token_id": end, "bos_token_id": end - 1}
    vision = {**small, **heads, "image_size": 24, "patch_size": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def noise_picture(seed: int, size: tuple[int, int] = (24, 24)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def test_the_embedded_clip_prefers_the_picture_of_the_text():
    similarity = load_clip(find_clip("emoji-clip"))
    pictures = {}
    for index in range(200):
        scene = SMALL.world.scene(np.random.default_rng(index))
        if len(scene.objects) == 1:
            pictures[scene.objects[0].noun] = Image.fromarray((render(scene, 64) * 255).round().astype(np.uint8))
    found = {noun: similarity(f"a {noun}", list(pictures.values())) for noun in pictures}
    right = [max(zip(scores, pictures, strict=True))[1] == noun for noun, scores in found.items()]
    assert len(right) >= 15
    assert np.mean(right) > 0.8


def test_a_clip_of_transformers_gives_its_own_cosines(tiny_clip: Path):
    from transformers import CLIPModel

    picture, text = noise_picture(0), "a red book"
    model, tokenizer = cast(Any, CLIPModel).from_pretrained(tiny_clip).eval(), tiny_tokenizer()
    mean, std = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = ((torch.tensor(np.asarray(picture)) / 255 - mean) / std).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = model(**tokenizer([text], return_tensors="pt"), pixel_values=pixels).logits_per_text
        expected = float(logits / model.logit_scale.exp())
    first, other = load_clip(tiny_clip)(text, [picture, noise_picture(1)])
    assert first == pytest.approx(expected, abs=1e-5)
    assert abs(first - other) > 1e-4


def test_pictures_of_any_shape_are_cut_to_what_the_clip_sees(tiny_clip: Path):
    wide = Image.new("RGB", (72, 24), "white")
    wide.paste(noise_picture(0), (24, 0))
    similarity = load_clip(tiny_clip)
    assert similarity("a cat", [wide]) == pytest.approx(similarity("a cat", [noise_picture(0)]), abs=1e-6)


def test_another_clip_has_another_fingerprint(tiny_clip: Path):
    assert clip_fingerprint(tiny_clip) != clip_fingerprint(find_clip("emoji-clip"))
    assert find_clip("emoji-clip") == (ASSETS / "emoji-clip").resolve()


def test_a_folder_without_a_clip_is_refused(tmp_path: Path):
    with pytest.raises(InvalidArgument, match="clip must be emoji-clip or a folder"):
        find_clip(str(tmp_path))
