import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import BlipForQuestionAnswering, BlipProcessor

from semguide.evaluation.metrics.vqa import Answerer, blip_vqa, vqa_score
from support.refusals import refuses
from support.tiny_scorers import save_tiny_blip


@pytest.fixture(scope="module")
def answerer(tiny_blip: Path) -> Answerer:
    return Answerer(tiny_blip, "cpu")


@torch.no_grad()
def test_probabilities_are_those_of_the_first_token_that_transformers_generates(
    answerer: Answerer, tiny_blip: Path, image: Image.Image
):
    model = BlipForQuestionAnswering.from_pretrained(tiny_blip).eval()
    processor = BlipProcessor.from_pretrained(tiny_blip)
    batch = processor(images=image, text="a red car?", return_tensors="pt")
    batch["input_ids"][:, 0] = processor.tokenizer.convert_tokens_to_ids("[ENC]")
    options: dict[str, Any] = {
        "max_new_tokens": 1,
        "do_sample": False,
        "return_dict_in_generate": True,
        "output_logits": True,
    }
    generated: Any = model.generate(**batch, **options)
    expected = generated.logits[0].softmax(dim=-1)[0]
    yes, no = answerer.yes(image, ["A red car?"])
    ids = processor.tokenizer.convert_tokens_to_ids(["yes", "no"])
    assert [float(yes), float(no)] == pytest.approx(expected[ids].tolist(), rel=1e-5)


def test_questions_together_are_answered_as_alone(answerer: Answerer, image: Image.Image):
    questions = ["a cat?", "a red car and a chair?", "a dog?"]
    together = answerer.yes(image, questions)[0]
    alone = torch.cat([answerer.yes(image, [question])[0] for question in questions])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-4)
    assert len({round(float(value), 6) for value in alone}) == 3


def test_the_vqa_score_asks_whether_the_figure_shows_the_text(answerer: Answerer, image: Image.Image):
    asked = answerer.yes(image, ['Does this figure show "a cat"?'])[0]
    assert vqa_score(answerer, image, "a cat") == float(asked)
    assert 0.0 < vqa_score(answerer, image, "a cat") < 1.0


def test_blip_vqa_multiplies_what_is_said_of_each_phrase(answerer: Answerer, image: Image.Image):
    shares = []
    for phrase in ("a cat", "a red car"):
        yes, no = answerer.yes(image, [f"{phrase}?"])
        shares.append(float(yes / (yes + no)))
    assert blip_vqa(answerer, image, ["a cat", "a red car"]) == pytest.approx(math.prod(shares), rel=1e-4)


def test_a_model_that_cannot_say_yes_is_refused(tmp_path: Path):
    folder = save_tiny_blip(tmp_path / "blip", ["no", "cat"])
    with refuses("folder", "must hold a model with one token for 'yes'"):
        Answerer(folder, "cpu")
