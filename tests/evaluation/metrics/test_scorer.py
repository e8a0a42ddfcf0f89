from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from semguide.evaluation.metrics import COLUMNS, Scorer, Scorers
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.metrics.features import unpack
from semguide.evaluation.metrics.vqa import Answerer, question_scores
from semguide.evaluation.suites import Question, suite

PROMPT = suite("emoji-ae")[100]
ASKED = replace(PROMPT, questions=(Question("a cat?", "yes", ("yes", "no")), Question("a car?", "red")))


def test_without_models_every_column_is_empty(image: Image.Image):
    assert Scorer(Scorers(), "cpu").columns(PROMPT, 0, image) == dict.fromkeys(COLUMNS)


def test_every_model_fills_its_columns(tiny_clip: Path, tiny_blip: Path, image: Image.Image):
    row = Scorer(Scorers(str(tiny_clip), str(tiny_blip), str(tiny_blip)), "cpu").columns(ASKED, 0, image)
    assert set(row) == set(COLUMNS)
    assert None not in row.values()
    clip = load_clip(tiny_clip, "cpu")
    cosines = (clip.texts([PROMPT.text, *(c.text for c in PROMPT.concepts)]) @ clip.image(image)).tolist()
    assert row["clip_similarity"] == pytest.approx(cosines[0], abs=1e-5)
    assert row["clip_weakest"] == pytest.approx(min(cosines[1:]), abs=1e-5)
    assert unpack([row["clip_feature"]])[0] == pytest.approx(clip.image(image).numpy(), abs=1e-3)
    assert 0.0 < row["vqa_score"] < 1.0
    assert 0.0 < row["blip_vqa"] < 1.0
    first, second = question_scores(Answerer(tiny_blip, "cpu"), image, ASKED.questions)
    assert row["questions_mean"] == pytest.approx((first + second) / 2, abs=1e-6)
    assert row["questions_product"] == pytest.approx((first * second) ** 0.5, abs=1e-6)


def test_the_rendering_belongs_to_the_seed_and_not_to_the_image(tiny_clip: Path, image: Image.Image):
    scorer = Scorer(Scorers(str(tiny_clip)), "cpu")
    one, same, other = (
        scorer.columns(PROMPT, seed, picture)["rendered_feature"]
        for seed, picture in ((0, image), (0, image.rotate(90)), (1, image))
    )
    assert one == same != other


def test_a_prompt_without_concepts_has_a_similarity_only(tiny_clip: Path, tiny_blip: Path, image: Image.Image):
    row = Scorer(Scorers(str(tiny_clip), blip_vqa=str(tiny_blip)), "cpu").columns(
        replace(PROMPT, concepts=()), 0, image
    )
    assert {name for name, value in row.items() if value is not None} == {"clip_similarity", "clip_feature"}
