import numpy as np
import pytest

from semguide.evaluation.suites import SuitePrompt, suite
from semguide.types import Concept
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.verdict import look, rule_on
from semguide_emoji.judge import Judge
from semguide_emoji.rendered import rendered, world_of

PROMPTS = [prompt for name in ("emoji-ae", "emoji-geneval", "emoji-complex") for prompt in suite(name)[::23]]


def test_the_judge_finds_what_prompts_ask_for_in_their_renderings():
    judge = Judge.load(ASSETS / "emoji-judge")
    right = [rule_on(p, look(judge, image)).all_right for p in PROMPTS if (image := rendered(p, 1, 64)) is not None]
    assert len(right) == len(PROMPTS)
    assert np.mean(right) > 0.9


def test_the_same_prompt_and_seed_give_the_same_picture_and_others_another():
    first, again, other = (rendered(PROMPTS[0], seed, 64) for seed in (3, 3, 4))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.size == (64, 64)
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    "concept",
    [
        Concept("a spaceship", None, "spaceship", (), 1),
        Concept("a shiny car", None, "car", ("shiny",), 1),
        Concept("five cars", None, "car", (), 5),
    ],
)
def test_what_the_world_has_not_is_not_drawn(concept: Concept):
    assert rendered(SuitePrompt(concept.text, "x", (concept,)), 0, 64) is None


def test_sizes_of_no_embedded_checkpoint_have_no_world():
    assert world_of(512) is None
    assert rendered(PROMPTS[0], 0, 512) is None


def test_a_prompt_without_concepts_is_not_drawn():
    assert rendered(SuitePrompt("nothing", "x", ()), 0, 64) is None
