"""Rules at the calls of a sampler of denoised images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from semguide import CFG, SGT, SGTv2
from semguide.adapters.eps_scale import MIN_SCALE
from semguide.adapters.hosts.sampler_session import SamplerSession, eps_scale
from semguide.guidance import METHODS, Predictions, Step
from semguide.guidance.signal_score import STOP, first_steps, log_odds_of, score_of, step_terms
from support.comfyui import standin

SIGMAS = [8.0, 4.0, 2.0, 1.0, 0.5, 0.0]
NAMES = ["a red book", "a yellow vase"]
WEIGHTS = torch.tensor([[1.0, 0.2, -0.3], [0.1, 1.0, 0.4], [-0.2, 0.5, 1.0], [0.3, 0.3, 0.3]], dtype=torch.float64)


def run_of(rule: Any, *, full_trace: bool = False) -> SamplerSession:
    return SamplerSession(rule, NAMES, SIGMAS, full_trace=full_trace)


@pytest.mark.parametrize(
    ("sigma", "step"),
    [(8.0, 0), (9.0, 0), (5.0, 0), (4.0, 1), (4.0 * (1 + 5e-5), 1), (4.0 * (1 - 5e-5), 1), (0.5, 4), (0.01, 4)],
)
def test_the_step_of_a_call_is_the_one_its_sigma_lies_in(sigma: float, step: int) -> None:
    assert run_of(SGT()).step_of(sigma) == step


def test_concepts_are_wanted_where_the_rule_wants_them_or_a_full_trace_does() -> None:
    assert [run_of(SGT(stop=0.5)).needs_concepts(step) for step in range(5)] == [True, True, True, False, False]
    assert [run_of(CFG(), full_trace=True).needs_concepts(step) for step in range(5)] == [True] * 5
    assert not run_of(CFG()).needs_concepts(0)
    assert not SamplerSession(SGT(), [], SIGMAS, full_trace=True).needs_concepts(0)


@pytest.mark.parametrize("sampling", [standin.Eps(), standin.Flow()])
@pytest.mark.parametrize("rule", [SGT(), SGT(start=0.5, stop=0.9), CFG()])
def test_images_are_scored_by_the_signals_of_their_first_steps_in_eps_space(rule: Any, sampling: Any) -> None:
    run = SamplerSession(rule, NAMES, SIGMAS, full_trace=False, scored=True)
    terms: list[list[torch.Tensor]] = [[], []]
    for step, sigma in enumerate(torch.tensor([0.9, 0.7, 0.5, 0.3, 0.1], dtype=torch.float64)):
        if not run.needs_concepts(step):
            continue
        eps = torch.stack([torch.einsum("ij,j...->i...", WEIGHTS, standin.noise(3, seed=9 * i + step)) for i in (0, 1)])
        images = sampling.denoised(standin.noise(1, seed=99), sigma, eps)
        place = Step(step, 5, 7.5, eps_scale(sampling, sigma))
        run.corrections(place, images[:, 0], images[:, 1], images[:, 2:].swapaxes(0, 1))
        if step < first_steps(STOP, 5):
            for i, seen in enumerate(terms):
                seen.append(step_terms(Step(step, 5, 7.5), Predictions(eps[i, 0], eps[i, 1], eps[i, 2:])))
    assert run.first == len(terms[0]) == 2
    assert run.scores() == pytest.approx([score_of(log_odds_of(seen)) for seen in terms], rel=1e-6)


def test_without_a_prediction_there_is_no_score() -> None:
    assert np.isnan(SamplerSession(SGT(), NAMES, SIGMAS, full_trace=False, scored=True).scores()).all()


@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_the_eps_scale_of_models_without_a_shrinking_image_is_minus_one_by_sigma(sigma: float) -> None:
    assert float(eps_scale(standin.Eps(), torch.tensor(sigma))) == pytest.approx(-1 / sigma)


def test_the_eps_scale_of_flow_models_stays_off_zero_where_there_is_only_noise() -> None:
    assert float(eps_scale(standin.Flow(), torch.tensor(0.25))) == pytest.approx(-3.0)
    assert float(eps_scale(standin.Flow(), torch.tensor(1.0))) == pytest.approx(-MIN_SCALE)


@pytest.mark.parametrize("sampling", [standin.Eps(), standin.Flow()])
@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].uses_concepts])
def test_a_rule_corrects_denoised_images_as_it_corrects_eps(name: str, sampling: Any) -> None:
    rule = METHODS[name](**{"warmup_steps": 1} if name in ("sega", "sgt-v2") else {})
    run, state = run_of(rule, full_trace=True), rule.initial_state(2)
    for step, sigma in enumerate(torch.tensor([0.9, 0.7, 0.5, 0.3, 0.1], dtype=torch.float64)):
        eps = torch.einsum("ij,j...->i...", WEIGHTS, standin.noise(3, seed=step))  # uncond, cond and two concepts
        images = sampling.denoised(standin.noise(1, seed=99), sigma, eps)
        correction, state = rule.correct(Predictions(eps[0], eps[1], eps[2:]), Step(step, 5, 7.5), state)
        place = Step(step, 5, 7.5, eps_scale(sampling, sigma))
        given = run.corrections(place, images[:1], images[1:2], images[2:, None])
        expected = correction.delta / float(eps_scale(sampling, sigma))
        torch.testing.assert_close(given[0], expected, rtol=1e-9, atol=1e-9)


def test_the_memory_of_a_rule_goes_on_once_a_step_however_often_the_sampler_calls() -> None:
    rule = SGTv2(warmup_steps=0)
    once, twice = run_of(rule), run_of(rule)
    for step in range(4):
        at = Step(step, 5, 7.5, -1.0)
        predictions = [standin.noise(1, seed=10 * step + k) for k in range(4)]
        uncond, cond, concepts = *predictions[:2], torch.stack(predictions[2:])
        expected = once.corrections(at, uncond, cond, concepts)
        twice.corrections(
            at, uncond, cond, 3 * concepts
        )  # the second call of the step before: its memory does not stay
        torch.testing.assert_close(twice.corrections(at, uncond, cond, concepts), expected, rtol=0, atol=0)
    np.testing.assert_array_equal(once.trace().similarity[0], twice.trace().similarity[0])


def test_images_of_a_batch_keep_memories_of_their_own() -> None:
    rule = SGTv2(warmup_steps=0)
    together, alone = run_of(rule), run_of(rule)
    for step in range(4):
        at = Step(step, 5, 7.5, -1.0)
        predictions = torch.stack([standin.noise(2, seed=10 * step + k) for k in range(4)])
        both = together.corrections(at, predictions[0], predictions[1], predictions[2:])
        one = alone.corrections(at, predictions[0, 1:], predictions[1, 1:], predictions[2:, 1:])
        torch.testing.assert_close(both[1:], one, rtol=0, atol=0)


def test_a_run_without_a_call_has_an_empty_trace() -> None:
    trace = run_of(SGT()).trace()
    assert trace.concepts == (tuple(NAMES),)
    assert np.isnan(trace.similarity[0]).all()
    assert trace.similarity[0].shape == (5, 2)
