import json
from pathlib import Path

import pytest

from semguide.errors import UnsupportedPipeline
from semguide.models import TEXT_TO_IMAGE, load
from semguide.runs.generation import generate_images
from semguide.runs.request import Request, find_model, plan_run
from support.tiny.pipelines import COMPONENTS, tiny

PROMPT = "a red book and a yellow vase"
TOO_TINY = {
    "AuraFlowPipeline", "HiDreamImagePipeline", "Kandinsky3Pipeline", "Lumina2Pipeline", "NucleusMoEImagePipeline",
    "PixArtAlphaPipeline", "PixArtSigmaPipeline", "SanaPipeline", "StableDiffusion3Pipeline",
}  # fmt: skip
"""Families whose tiny model takes no size or text of a run, or is not saved whole."""
FAMILIES = sorted((set(TEXT_TO_IMAGE) & set(COMPONENTS)) - TOO_TINY)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_makes_the_picture_of_a_run(name: str, tmp_path: Path):
    tiny(name).save_pretrained(tmp_path / "model")
    folder = str(tmp_path / "model")
    side = 4 * find_model(folder).size_multiple
    planned = plan_run(
        Request(PROMPT, model=folder, num_images=1, num_inference_steps=2, guidance_scale=4.0, height=side, width=side)
    )
    pipe = load(str(planned.model.path), "cpu")
    pipe.set_progress_bar_config(disable=True)
    (image,) = generate_images(planned.run, planned.rules, pipe)
    assert image.image.size == (planned.run.sampling.width, planned.run.sampling.height)
    assert image.evaluations > 2


def test_a_video_family_is_refused_in_one_sentence(tmp_path: Path):
    (tmp_path / "vae").mkdir()
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    with pytest.raises(UnsupportedPipeline, match="which makes videos"):
        find_model(str(tmp_path))
