import pytest

from semguide.guidance import CFG, METHODS, BalancedSGT, SGTv1
from semguide.guidance.cost import FEWEST_STEPS, Cost, afford, steps_within
from support.refusals import refuses


def test_steps_within_a_cost_are_one_at_least():
    assert steps_within(lambda steps: 4 * steps, 17) == 4
    assert steps_within(lambda steps: 4 * steps, 3) == 1


def test_the_most_steps_are_found_where_one_more_may_cost_less():
    assert steps_within(lambda steps: 2 * steps + 5 * (steps % 2), 20) == 10


@pytest.mark.parametrize("name", list(METHODS))
def test_no_rule_spends_more_than_its_budget_and_one_step_more_would(name: str):
    cost = Cost(METHODS[name]())
    for evaluations in (40, 50, 75, 200):
        found = afford(cost, evaluations, 2)
        assert found.concepts == 2
        assert cost(found.steps, 2) <= evaluations < cost(found.steps + 1, 2)


def test_the_budget_of_plain_guidance_is_its_own_steps_again():
    assert afford(Cost(CFG()), Cost(CFG()).plain(25), 3).steps == 25
    embedded = Cost(CFG(), "embedded")
    assert (embedded.plain(28), afford(embedded, 28, 0).steps) == (28, 28)


def test_without_guidance_few_steps_are_told_of_nowhere_and_cost_no_concept():
    cost = Cost(BalancedSGT(stop=0.5), "conditional")
    found = afford(cost, 10, 3)
    assert (cost(4, 3), cost.plain(4), found.steps, found.concepts) == (10, 4, 4, 3)
    assert found.warning("sgt-balanced", 10, []) is None
    assert afford(Cost(BalancedSGT(stop=0.5)), 30, 3).concepts == 2


def test_concepts_are_left_out_before_steps_are_too_few():
    cost = Cost(SGTv1(warmup_steps=0, cooldown_steps=1000))
    found = afford(cost, 50, 6)
    assert (found.steps, found.concepts, found.wanted) == (12, 2, 12 * 8)
    assert afford(cost, 12 * 8, 6).concepts == 6
    assert afford(cost, 12 * 8 - 1, 6).concepts == 5
    told = str(found.warning("sgt-v1", 50, ["a cat", "a dog"]))
    assert "50 evaluations are 12 steps of sgt-v1 with 2 concepts, without 'a cat', 'a dog'" in told
    assert "at least 96" in told


def test_two_concepts_are_kept_however_few_steps_are_left_and_that_is_said():
    found = afford(Cost(BalancedSGT()), 20, 5)
    assert found.concepts == 2
    assert found.steps < FEWEST_STEPS
    assert "below 12 steps" in str(found.warning("sgt-balanced", 20, ["a cat"]))


def test_nothing_is_warned_of_where_nothing_is_given_up():
    assert afford(Cost(BalancedSGT()), 50, 2).warning("sgt-balanced", 50, []) is None
    assert afford(Cost(CFG()), 8, 5).warning("cfg", 8, []) is None


def test_a_budget_below_two_steps_is_refused():
    with refuses("evaluations", "at least 4"):
        afford(Cost(CFG()), 3, 0)


def test_a_scheduler_of_two_calls_a_step_takes_half_the_steps():
    assert afford(Cost(CFG(), denoiser_steps=lambda steps: 2 * steps - 1), 50, 0).steps == 13
