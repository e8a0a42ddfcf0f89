from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from semguide.evaluation.metrics.clip import load_clip
from semguide_emoji import ASSETS
from semguide_emoji.scenes import Scene, SceneObject, render

TEXTS = ["a red car", "a blue apple and a dog"]


@torch.no_grad()
def test_a_foreign_clip_says_what_transformers_says(tiny_clip: Path, image: Image.Image):
    clip = load_clip(tiny_clip, "cpu")
    model, processor = CLIPModel.from_pretrained(tiny_clip), CLIPProcessor.from_pretrained(tiny_clip)
    batch = processor(text=TEXTS, images=image, return_tensors="pt", padding=True)
    said = model(**batch)
    cosines = said.logits_per_text[:, 0] / model.logit_scale.exp()
    torch.testing.assert_close(clip.texts(TEXTS) @ clip.image(image), cosines, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [64, 128])
def test_the_embedded_clip_tells_scenes_apart_at_any_size(size: int):
    clip = load_clip(ASSETS / "emoji-clip", "cpu")
    texts = clip.texts(["a red car", "a red apple", "a blue apple"])
    drawn = render(Scene((SceneObject("apple", "red", 4, 4, 8),), "cream"), size)
    feature = clip.image(Image.fromarray((drawn * 255).round().astype("uint8")))
    assert int((texts @ feature).argmax()) == 1
    assert float(feature.norm()) == pytest.approx(1.0, abs=1e-5)
    assert texts.norm(dim=-1).tolist() == pytest.approx([1.0] * 3, abs=1e-5)
