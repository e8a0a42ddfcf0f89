from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SGTv1, retry, steer
from semguide.guidance import Predictions, Rule, Step
from semguide.guidance.signals import SIGNALS
from semguide.selection import GuidanceEnergy, PartialRun, Selection, SignalScore
from semguide.selection.criteria import IN_PLACES, IN_TOKENS, SignalFit
from support.refusals import refuses
from support.rule_cases import map_predictions, random_predictions
from support.tiny.calls import CONCEPTS, PROMPT, noise

STEPS = 6
SEEDS = (3, 0, 5, 1)
ARGUMENTS: dict[str, Any] = {"num_inference_steps": STEPS, "output_type": "latent"}


def alone(pipe: Any, rule: Rule[Any], seed: int) -> Any:
    return steer(pipe, rule)(PROMPT, concepts=CONCEPTS, generator=noise(seed), **ARGUMENTS)


def tried(pipe: Any, rule: Rule[Any], **more: Any) -> Selection:
    return retry(steer(pipe, rule), PROMPT, concepts=CONCEPTS, seeds=SEEDS, **ARGUMENTS, **more)


def scores(pipe: Any, rule: Rule[Any]) -> dict[int, float]:
    steered = steer(pipe, rule)
    arguments = {"concepts": CONCEPTS, **ARGUMENTS}
    return {seed: PartialRun(steered, PROMPT, seed, SignalScore(), arguments).score for seed in SEEDS}


@pytest.mark.parametrize("rule", [CFG(), SGT(), SGTv1()], ids=lambda rule: rule.name)
def test_the_first_seed_that_reaches_the_threshold_is_finished_and_none_after_it_is_started(pipe: Any, rule: Rule[Any]):
    by_seed = scores(pipe, rule)
    threshold = sorted(by_seed.values())[2]
    wanted = next(seed for seed in SEEDS if by_seed[seed] >= threshold)
    found = tried(pipe, rule, threshold=threshold)
    assert found.seeds == [wanted]
    assert [candidate.seed for candidate in found.candidates] == list(SEEDS[: SEEDS.index(wanted) + 1])
    assert torch.equal(found.images[0], alone(pipe, rule, wanted).images[0])


def test_where_none_reaches_it_the_best_is_finished(sd: Any):
    by_seed = scores(sd, SGT())
    found = tried(sd, SGT(), threshold=2.0)
    assert [candidate.seed for candidate in found.candidates] == list(SEEDS)
    assert found.seeds == [max(SEEDS, key=by_seed.__getitem__)]
    assert {candidate.seed: candidate.score for candidate in found.candidates} == by_seed


def test_a_picture_that_is_taken_at_once_costs_what_it_costs_alone(sd: Any):
    found = tried(sd, SGT(), threshold=0.0)
    assert found.evaluations == alone(sd, SGT(), SEEDS[0]).evaluations[0]


def test_another_criterion_may_score(sd: Any):
    found = tried(sd, CFG(), criterion=GuidanceEnergy(stop=0.2), threshold=0.0)
    assert found.seeds == [SEEDS[0]]


@pytest.mark.parametrize(("fit", "packed"), [(IN_PLACES, False), (IN_TOKENS, True)])
def test_the_score_is_the_product_of_the_concepts_probabilities(fit: SignalFit, packed: bool) -> None:
    score, steps, at = SignalScore(stop=0.5), [random_predictions(seed, 3) for seed in (1, 2)], Step(0, 4, 7.0)
    if packed:
        steps = [map_predictions(each, lambda x: x.flatten(-2).transpose(-1, -2)) for each in steps]
    values = [score.value(at, predictions) for predictions in steps]
    odds = torch.full((3,), fit.intercept)
    for name, weight in fit.mean.items():
        odds = odds + weight * torch.stack([SIGNALS[name](predictions, at) for predictions in steps]).mean(dim=0)
    for name, weight in fit.last.items():
        odds = odds + weight * SIGNALS[name](steps[-1], at)
    found = [value for value in values if value is not None]
    assert score.alignment(found) == pytest.approx(odds.sigmoid().tolist(), rel=1e-5)
    assert score.score(found) == pytest.approx(float(odds.sigmoid().prod()), rel=1e-5)


def test_a_concept_in_places_of_its_own_scores_more_than_one_where_the_other_sits() -> None:
    def of(*subjects: list[list[float]]) -> float:
        rows = [torch.tensor(values).T[:, :, None] for values in ([[1.0, 0.0], [0.0, 1.0]], *subjects)]
        found = SignalScore().value(
            Step(0, 10, 7.0), Predictions(torch.zeros_like(rows[0]), rows[0], torch.stack(rows[1:]))
        )
        assert found is not None
        return SignalScore().score([found])

    apart = of([[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]])
    together = of([[1.0, 0.0], [0.0, 0.0]], [[0.8, 0.2], [0.0, 0.0]])
    assert apart > together


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"threshold": float("nan")}, "threshold"), ({"generator": torch.Generator()}, "generator")],
)
def test_wrong_arguments_are_refused(sd: Any, arguments: dict[str, Any], named: str):
    with refuses(named):
        tried(sd, SGT(), **arguments)


def test_seeds_are_needed_and_concepts_too(sd: Any):
    with refuses("seeds"):
        retry(steer(sd), PROMPT, seeds=[], concepts=CONCEPTS, **ARGUMENTS)
    with refuses("concepts"):
        retry(steer(sd), PROMPT, seeds=SEEDS, concepts=[], **ARGUMENTS)
