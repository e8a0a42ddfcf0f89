from dataclasses import replace

import pytest
from PIL import Image

from semguide.evaluation.judging import Detection
from semguide.evaluation.suites import SuitePrompt, suite
from semguide.types import Concept
from semguide_emoji.evaluation.verdict import judgeable, look, rule_on
from semguide_emoji.judge import Judge, JudgeConfig


def finding(noun: str, colour: str = "red", x: float = 0.5, y: float = 0.5) -> Detection:
    return Detection(noun, colour, False, x, y, 0.3, 0.9)


def asking(*concepts: tuple[str, str | None, int], **rest) -> SuitePrompt:
    asked = tuple(Concept(f"{c} {n}", None, n, (c,) if c else (), k) for n, c, k in concepts)
    return SuitePrompt("prompt", "category", asked, **rest)


PAIR = asking(("cat", "red", 1), ("dog", None, 1))


def test_everything_there_is_right():
    verdict = rule_on(PAIR, [finding("cat"), finding("dog", "blue")])
    assert (verdict.concepts, verdict.counts, verdict.position_right) == ((True, True), (1, 1), None)
    assert verdict.all_right


def test_a_wrong_colour_and_a_missing_thing_are_wrong():
    verdict = rule_on(PAIR, [finding("cat", "blue"), finding("cat", "green")])
    assert (verdict.concepts, verdict.counts) == ((False, False), (0, 0))
    assert not verdict.all_right


@pytest.mark.parametrize(("there", "right"), [(2, False), (3, True), (4, False)])
def test_an_exact_count_admits_neither_fewer_nor_more(there: int, right: bool):
    verdict = rule_on(asking(("cat", None, 3), exact=True), [finding("cat", x=i / 4) for i in range(there)])
    assert (verdict.counts, verdict.concepts) == ((there,), (right,))


def test_a_count_that_is_not_exact_admits_more():
    assert rule_on(asking(("cat", None, 2)), [finding("cat", x=i / 4) for i in range(3)]).all_right


@pytest.mark.parametrize(
    ("cat", "position"),
    [((0.1, 0.5), "left"), ((0.9, 0.45), "right"), ((0.45, 0.1), "above"), ((0.5, 0.9), "below")],
)
def test_a_position_is_where_the_centres_differ_most(cat: tuple[float, float], position):
    seen = [finding("cat", x=cat[0], y=cat[1]), finding("dog")]
    for asked in ("left", "right", "above", "below"):
        verdict = rule_on(replace(PAIR, position=asked), seen)
        assert verdict.position_right is (asked == position)
        assert verdict.all_right is (asked == position)


def test_a_position_is_wrong_where_a_thing_is_missing_and_right_where_any_pair_has_it():
    left = replace(PAIR, position="left")
    assert rule_on(left, [finding("cat")]).position_right is False
    assert rule_on(left, [finding("cat", x=0.9), finding("cat", x=0.1), finding("dog")]).position_right is True


def test_one_thing_does_not_lie_beside_itself():
    twins = asking(("cat", None, 1), ("cat", None, 1), position="right")
    assert rule_on(twins, [finding("cat")]).position_right is False


def test_prompts_of_unknown_nouns_or_other_attributes_than_colours_are_not_judged():
    judge = Judge(JudgeConfig(nouns=("cat", "dog"), width=8, size=32))
    assert judgeable(PAIR, judge)
    assert not judgeable(asking(("unicorn", None, 1)), judge)
    assert not judgeable(asking(("cat", "wooden", 1)), judge)
    assert not judgeable(asking(), judge)


def test_the_default_judge_knows_every_suite():
    judge = Judge(JudgeConfig(width=8))
    names = ("emoji-single", "emoji-ae", "emoji-geneval", "emoji-complex")
    assert all(judgeable(prompt, judge) for name in names for prompt in suite(name))


def test_a_picture_of_another_size_is_seen_at_the_size_that_the_judge_knows(monkeypatch: pytest.MonkeyPatch):
    judge = Judge(JudgeConfig(nouns=("cat",), width=8, size=32)).eval()
    seen = []
    forward = judge.forward
    monkeypatch.setattr(judge, "forward", lambda pictures: seen.append(pictures) or forward(pictures))
    for side in (32, 64):
        look(judge, Image.new("RGB", (side, side), (255, 0, 127)))
    assert [tuple(pictures.shape) for pictures in seen] == [(1, 3, 32, 32)] * 2
    assert [round(float(pictures[0, channel].mean()), 2) for pictures in seen for channel in range(3)] == [1, -1, 0] * 2
