import numpy as np
import pytest
import torch
from torch import Tensor

from semguide.evaluation.judging import Detection
from semguide.evaluation.suites import suite
from semguide.types import Concept
from semguide_emoji.evaluation.detections import find, findings, judged, verdicts
from semguide_emoji.judge import COLOUR_CLASSES, Judge, JudgeConfig
from semguide_emoji.scenes.vocabulary import WORN, asked_colour

NOUNS = ("cat", "car", "star")


def finding(noun: str, colour: str = "red") -> Detection:
    return Detection(noun, colour, False, 0.5, 0.5, 0.3, 0.9)


def concept(head: str, *attributes: str, count: int | None = 1) -> Concept:
    return Concept(" ".join((*attributes, head)), None, head, attributes, count)


class Maps(Judge):
    """A judge that returns hand-made maps: objects are (noun, colour, row, column, side, confidence)."""

    def __init__(self, *pictures: list[tuple[str, str, int, int, float, float]]) -> None:
        super().__init__(JudgeConfig(NOUNS, 8, 64))
        self.centres = torch.full((len(pictures), len(NOUNS), 16, 16), -9.0)
        self.colours = torch.zeros(len(pictures), len(COLOUR_CLASSES), 16, 16)
        self.side = torch.zeros(len(pictures), 16, 16)
        for index, things in enumerate(pictures):
            for noun, colour, row, column, side, confidence in things:
                self.centres[index, NOUNS.index(noun), row, column] = torch.tensor(confidence).logit()
                self.colours[index, COLOUR_CLASSES.index(colour), row, column] = 5.0
                self.side[index, row, column] = side

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.centres, self.colours, self.side


def found(judge: Maps, threshold: float = 0.3) -> list[list[Detection]]:
    return find(judge, torch.zeros(len(judge.side), 3, 64, 64), threshold)


def test_objects_are_found_with_noun_colour_place_and_side_the_surest_first():
    judge = Maps([("cat", "red", 3, 4, 0.5, 0.6), ("car", "blue", 12, 8, 0.4, 0.9)], [])
    (car, cat), nothing = found(judge)
    assert (car.noun, car.colour, car.natural, cat.noun, cat.colour) == ("car", "blue", False, "cat", "red")
    assert (cat.x, cat.y, cat.side) == (4.5 / 16, 3.5 / 16, 0.5)
    assert (car.confidence, cat.confidence) == (pytest.approx(0.9), pytest.approx(0.6))
    assert nothing == []


def test_what_is_below_the_threshold_or_no_peak_is_not_found():
    judge = Maps([("cat", "red", 3, 4, 0.5, 0.6), ("cat", "red", 3, 5, 0.5, 0.5), ("car", "red", 9, 9, 0.5, 0.29)])
    assert [f.noun for f in found(judge)[0]] == ["cat"]
    assert [f.noun for f in found(judge, 0.2)[0]] == ["cat", "car"]


def test_of_two_findings_in_one_place_the_surer_one_is_kept():
    judge = Maps([("cat", "red", 3, 4, 0.5, 0.6), ("car", "red", 4, 5, 0.5, 0.8), ("star", "red", 10, 5, 0.5, 0.4)])
    assert [f.noun for f in found(judge)[0]] == ["car", "star"]


def test_what_is_worn_in_the_middle_of_its_wearer_is_another_object():
    worn = Maps([("cat", "red", 3, 4, 0.5, 0.9), ("car", "red", 4, 4, 0.5 * WORN["glasses"][1], 0.6)])
    assert [f.noun for f in found(worn)[0]] == ["cat", "car"]


def test_a_glyph_in_natural_colours_is_called_by_its_plain_colour():
    judge = Maps([("star", "natural", 3, 4, 0.5, 0.9)])
    ((star,),) = found(judge)
    assert (star.natural, star.colour) == (True, "yellow")


@pytest.mark.parametrize(
    ("findings", "concepts", "right"),
    [
        ([], [concept("cat")], [False]),
        ([finding("cat")], [concept("cat")], [True]),
        ([finding("cat")], [concept("car")], [False]),
        ([finding("cat", "blue")], [concept("cat", "red")], [False]),
        ([finding("cat", "blue")], [concept("cat", "blue")], [True]),
        ([finding("cat", "blue")], [concept("cat", "fluffy")], [True]),
        ([finding("cat")] * 3, [concept("cat", count=3)], [True]),
        ([finding("cat")] * 2, [concept("cat", count=3)], [False]),
        ([finding("cat")] * 3, [concept("cat", count=None)], [True]),
    ],
)
def test_a_concept_is_right_when_enough_objects_of_its_noun_and_colour_are_there(
    findings: list[Detection], concepts: list[Concept], right: list[bool]
):
    assert judged(findings, concepts) == right


def test_one_object_answers_for_one_concept_only():
    assert judged([finding("cat")], [concept("cat"), concept("cat")]) == [True, False]
    assert judged([finding("cat")] * 2, [concept("cat"), concept("cat")]) == [True, True]


def test_concepts_with_a_colour_choose_first():
    cats = [finding("cat", "red"), finding("cat", "blue")]
    assert judged(cats, [concept("cat"), concept("cat", "red")]) == [True, True]
    assert judged(cats[:1], [concept("cat"), concept("cat", "red")]) == [False, True]


def test_exchanged_colours_are_wrong():
    swapped = [finding("cat", "blue"), finding("car", "red")]
    assert judged(swapped, [concept("cat", "red"), concept("car", "blue")]) == [False, False]


def test_the_asked_colour_is_the_first_that_the_world_knows():
    assert asked_colour(concept("cat", "small", "red")) == "red"
    assert asked_colour(concept("cat", "small")) is None


PROMPTS = suite("emoji-ae")[:3]


def test_a_picture_is_judged_by_the_prompt_that_it_was_made_of():
    asked = [[(concept.head, next(iter(concept.attributes), "red")) for concept in p.concepts] for p in PROMPTS]
    seen = [[Detection(noun, colour, False, 0, 0, 1, 1) for noun, colour in things] for things in asked]
    found = [seen[0], seen[0][:1], seen[1], [], seen[2][1:], seen[2]]  # two pictures a prompt
    right = [[True, True], [True, False], [True, True], [False, False], [False, True], [True, True]]
    assert verdicts(found, PROMPTS) == right


def test_what_is_found_does_not_depend_on_the_batches():
    torch.manual_seed(0)
    judge = Judge(JudgeConfig(width=8)).eval()
    images = np.random.default_rng(0).integers(256, size=(5, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        list(judge.head.parameters())[1].zero_()  # the bias, which makes findings rare
    all_at_once, by_two = findings(judge, images), findings(judge, images, batch_size=2)
    assert any(all_at_once)
    assert [[(f.noun, f.x, f.y) for f in a] for a in all_at_once] == [[(f.noun, f.x, f.y) for f in b] for b in by_two]
