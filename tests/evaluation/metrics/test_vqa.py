import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import BlipForQuestionAnswering, BlipProcessor

from semguide.evaluation.metrics.vqa import Answerer, blip_vqa, question_scores, vqa_score
from semguide.evaluation.suites import Question
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


@torch.no_grad()
def test_the_probability_of_an_answer_is_that_of_its_words_and_its_end(
    answerer: Answerer, tiny_blip: Path, image: Image.Image
):
    model = BlipForQuestionAnswering.from_pretrained(tiny_blip).eval()
    processor = BlipProcessor.from_pretrained(tiny_blip)
    batch = processor(images=image, text="a red car?", return_tensors="pt")
    batch["input_ids"][:, 0] = processor.tokenizer.convert_tokens_to_ids("[ENC]")
    seen = model.vision_model(batch["pixel_values"])[0]
    read = model.text_encoder(batch["input_ids"], encoder_hidden_states=seen)[0]
    start, red, car, end = processor.tokenizer.convert_tokens_to_ids(["[DEC]", "red", "car", "[SEP]"])
    expected = 1.0
    for given, word in (([start], red), ([start, red], car), ([start, red, car], end)):
        logits = model.text_decoder(torch.tensor([given]), encoder_hidden_states=read).logits[0, -1]
        expected *= float(logits.softmax(dim=-1)[word])
    (found, other) = answerer.probabilities(image, [("A red car?", ["Red car"]), ("a cat?", ["yes", "no", "dog"])])
    assert found.tolist() == pytest.approx([expected], rel=1e-4)
    assert other.shape == (3,)


class Said:
    """An answerer that says what it is told: answer -> probability, whatever is asked."""

    def __init__(self, **probabilities: float) -> None:
        self._said = probabilities

    def probabilities(self, image: Any, asked: Any) -> list[torch.Tensor]:
        return [torch.tensor([self._said[answer] for answer in answers]) for _, answers in asked]


def test_choices_are_right_or_wrong_and_open_answers_as_likely_as_they_are(image: Image.Image):
    said: Any = Said(yes=0.5, no=0.2, four=0.25)
    questions = [Question("a?", "yes", ("yes", "no")), Question("b?", "no", ("no", "yes")), Question("c?", "four")]
    assert question_scores(said, image, questions) == [1.0, 0.0, 0.25]


def test_a_question_counts_as_wrong_where_one_that_it_needs_is_wrong(image: Image.Image):
    said: Any = Said(yes=0.5, no=0.2)
    right, wrong = Question("a?", "yes", ("yes", "no")), Question("b?", "no", ("no", "yes"))
    questions = [wrong, right, Question("c?", "yes", ("yes", "no"), (1,)), Question("d?", "yes", ("yes", "no"), (0,))]
    further = Question("e?", "yes", ("yes", "no"), (3,))
    assert question_scores(said, image, [*questions, further]) == [0.0, 1.0, 1.0, 0.0, 0.0]


def test_a_model_that_cannot_say_yes_is_refused(tmp_path: Path):
    folder = save_tiny_blip(tmp_path / "blip", ["no", "cat"])
    with refuses("folder", "must hold a model with one token for 'yes'"):
        Answerer(folder, "cpu")
