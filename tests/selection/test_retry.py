from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SGTv1, retry, steer
from semguide.guidance import Rule
from semguide.selection import GuidanceEnergy, PartialRun, Selection, SignalScore
from support.refusals import refuses
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


@pytest.mark.parametrize("rule", [SGT(), SGTv1()], ids=lambda rule: rule.name)
def test_the_score_of_the_first_steps_is_that_of_the_finished_image(pipe: Any, rule: Rule[Any]) -> None:
    (candidate,) = tried(pipe, rule, threshold=0.0).candidates
    assert alone(pipe, rule, candidate.seed).alignment_score == pytest.approx([candidate.score], rel=1e-6)


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
