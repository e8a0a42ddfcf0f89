"""Which concepts of a picture are right, by each kind of judge."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from semguide.evaluation.concept_judges import (
    ClipJudge,
    DetectorJudge,
    QuestionJudge,
    check_for_clip,
    load_concept_judge,
)
from semguide.evaluation.judging import Verdict
from semguide.evaluation.suites import SuitePrompt
from semguide.types import Concept
from support.refusals import refuses
from support.tiny_scorers import save_tiny_blip, save_tiny_clip

PICTURE = Image.new("RGB", (32, 32), "red")
WORDS = ("a cat", "a dog", "a bird", "a bear", "a car")


def prompt(*texts: str) -> SuitePrompt:
    return SuitePrompt(" and ".join(texts), "pairs", tuple(Concept(text) for text in texts))


class Clip:
    """Texts on the axes of a space in which a picture has given coordinates."""

    def __init__(self, picture: list[float]) -> None:
        self.picture = torch.tensor(picture)

    def texts(self, texts: Any) -> torch.Tensor:
        return torch.stack([torch.eye(len(WORDS))[WORDS.index(text)] for text in texts])

    def image(self, image: Any) -> torch.Tensor:
        return self.picture


def test_a_clip_finds_a_concept_right_that_is_closer_than_all_that_the_prompt_does_not_have() -> None:
    judge = ClipJudge(Clip([0.9, 0.2, 0.5, 0.1, 0.0]), WORDS)
    assert judge.verdict(prompt("a cat", "a dog"), PICTURE) == [True, False]
    assert judge.verdict(prompt("a cat", "a bird"), PICTURE) == [True, True]


def test_a_number_that_is_none_is_no_verdict() -> None:
    assert ClipJudge(Clip([float("nan")] * 5), WORDS).verdict(prompt("a cat"), PICTURE) is None
    answers: Any = SimpleNamespace(yes=lambda image, asked: (torch.tensor([float("nan")]), torch.tensor([0.5])))
    assert QuestionJudge(answers).verdict(prompt("a cat"), PICTURE) is None


def test_a_question_is_asked_of_each_concept_and_yes_must_beat_no() -> None:
    asked: list[str] = []

    def yes(image: Any, questions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        asked.extend(questions)
        return torch.tensor([0.4, 0.1]), torch.tensor([0.3, 0.2])

    answers: Any = SimpleNamespace(yes=yes)
    assert QuestionJudge(answers).verdict(prompt("a cat", "a dog"), PICTURE) == [True, False]
    assert asked == ["a cat?", "a dog?"]


def test_a_detector_says_nothing_of_prompts_that_it_does_not_know() -> None:
    knows: Any = SimpleNamespace(
        judgeable=lambda asked: "dog" in asked.text,
        look=lambda image: [],
        rule_on=lambda asked, findings: Verdict((True, False), (1, 0), None),
    )
    assert DetectorJudge(knows).verdict(prompt("a cat", "a dog"), PICTURE) == [True, False]
    assert DetectorJudge(knows).verdict(prompt("a cat"), PICTURE) is None


def test_too_few_concepts_are_refused_for_a_clip() -> None:
    with refuses("suite", "must hold at least 3 more concepts"):
        check_for_clip([prompt("a cat", "a dog"), prompt("a dog", "a bird")])
    check_for_clip([prompt("a cat", "a dog"), prompt("a bird", "a bear"), prompt("a car")])


@pytest.mark.parametrize(("kind", "save"), [("clip", save_tiny_clip), ("vqa", save_tiny_blip)])
def test_real_classes_give_a_verdict_of_each_concept(kind: str, save: Any, tmp_path: Path) -> None:
    prompts = [prompt("a cat", "a dog"), prompt("a bird", "a bear"), prompt("a car")]
    judge = load_concept_judge(kind, save(tmp_path / kind), prompts, "cpu")
    verdict = judge.verdict(prompts[0], PICTURE)
    assert verdict is not None
    assert [type(right) for right in verdict] == [bool, bool]
