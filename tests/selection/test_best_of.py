from __future__ import annotations

from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from semguide import CFG, SGT, SGTv1, SGTv2, steer
from semguide.guidance import Rule
from semguide.guidance.detector import Detector
from semguide.selection import DetectorScore, GuidanceEnergy, PartialRun, Selection, best_of
from semguide.selection.best_of import check_arguments
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, noise

STEPS = 6
FIRST = 2
SEEDS = (3, 0, 5, 1)
ARGUMENTS: dict[str, Any] = {"num_inference_steps": STEPS, "output_type": "latent"}
SCHEDULERS = ["DDIMScheduler", "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "PNDMScheduler"]


def alone(pipe: Any, rule: Rule[Any], seed: int, **more: Any) -> Any:
    return steer(pipe, rule)(PROMPT, concepts=CONCEPTS, generator=noise(seed), **ARGUMENTS, **more)


def chosen(pipe: Any, rule: Rule[Any], **more: Any) -> Selection:
    return best_of(steer(pipe, rule), PROMPT, concepts=CONCEPTS, seeds=SEEDS, **ARGUMENTS, **more)


@pytest.mark.parametrize("rule", [CFG(), SGT(), SGTv1(), SGTv2()], ids=lambda rule: rule.name)
def test_a_chosen_image_is_that_of_its_seed_alone_to_the_bit(pipe: Any, rule: Rule[Any]):
    found = chosen(pipe, rule, keep=2)
    assert len(found.results) == len(found.images) == len(found.seeds) == 2
    for seed, result in zip(found.seeds, found.results, strict=True):
        assert torch.equal(result.images, alone(pipe, rule, seed).images)


@pytest.mark.parametrize("name", [*SCHEDULERS, "HeunDiscreteScheduler", "UniPCMultistepScheduler"])
def test_it_is_with_schedulers_that_remember_steps_and_draw_noise(sd: Any, name: str):
    sd.scheduler = getattr(diffusers, name).from_config(sd.scheduler.config)
    found = chosen(sd, SGT())
    assert torch.equal(found.results[0].images, alone(sd, SGT(), found.seeds[0]).images)


def test_the_trace_and_the_alignment_are_those_of_the_seed_alone(sd: Any):
    found = chosen(sd, SGT())
    single = alone(sd, SGT(), found.seeds[0])
    assert np.array_equal(found.results[0].trace.weight[0], single.trace.weight[0], equal_nan=True)
    assert found.results[0].alignment_score == single.alignment_score
    assert found.results[0].evaluations == single.evaluations


@pytest.mark.parametrize(("rule", "dropped", "kept"), [(CFG(), 4 * FIRST, 2 * STEPS + 2 * FIRST), (SGT(), 8, 18)])
def test_the_evaluations_are_those_that_the_denoiser_made(
    sd: Any, monkeypatch: pytest.MonkeyPatch, rule: Rule[Any], dropped: int, kept: int
):
    rows, forward = [], sd.unet.forward

    def counted(sample: Any, *args: Any, **kwargs: Any) -> Any:
        rows.append(len(sample))
        return forward(sample, *args, **kwargs)

    monkeypatch.setattr(sd.unet, "forward", counted)
    found = chosen(sd, rule)
    assert [c.evaluations for c in found.candidates] == [kept if c.kept else dropped for c in found.candidates]
    assert found.evaluations == sum(rows) == 3 * dropped + kept
    assert found.results[0].evaluations == [kept]


def test_the_seeds_with_the_highest_scores_are_kept_best_first(sd: Any):
    found = chosen(sd, CFG(), keep=3)
    assert [candidate.seed for candidate in found.candidates] == list(SEEDS)
    scores = {candidate.seed: candidate.score for candidate in found.candidates}
    assert len(set(scores.values())) == 4
    assert found.seeds == sorted(SEEDS, key=lambda seed: -scores[seed])[:3]
    assert sum(candidate.kept for candidate in found.candidates) == 3


def test_the_score_is_the_alignment_score_of_the_whole_run(sd: Any):
    found = chosen(sd, CFG())
    for candidate in found.candidates:
        (score,) = alone(sd, CFG(), candidate.seed, full_trace=True).alignment_score
        assert candidate.score == pytest.approx(score, rel=1e-6)


def test_the_finished_seeds_are_ranked_among_each_other(sd: Any):
    found = chosen(sd, SGT(), keep=3)
    assert [result.alignment_rank for result in found.results] == [[1], [2], [3]]


def test_looking_at_fewer_steps_costs_less_and_ends_at_the_same_step(sd: Any):
    found = chosen(sd, CFG(), criterion=DetectorScore(stop=0.5, every=2))
    assert {candidate.evaluations for candidate in found.candidates if not candidate.kept} == {3 * 2 + 2 * 2}
    similarity = alone(sd, CFG(), SEEDS[0], full_trace=True).trace.similarity[0][[0, 2]]
    expected = Detector(stop=1.0).probability(similarity)
    assert expected is not None
    assert found.candidates[0].score == pytest.approx(np.prod(expected), rel=1e-6)


def test_rejection_keeps_the_seed_of_most_guidance_and_evaluates_no_concept(sd: Any):
    found = chosen(sd, CFG(), criterion=GuidanceEnergy())
    assert [c.evaluations for c in found.candidates] == [2 * (STEPS if c.kept else FIRST) for c in found.candidates]
    energies = {seed: _energy(sd, seed) for seed in SEEDS}
    assert {c.seed: c.score for c in found.candidates} == pytest.approx(energies, rel=1e-5)
    assert found.seeds == [max(energies, key=lambda seed: energies[seed])]


def _energy(pipe: Any, seed: int) -> float:
    """Sum |e(P) - e(0)|^2 over the first steps by a hook of its own."""
    outputs: list[torch.Tensor] = []
    hook = pipe.unet.register_forward_hook(lambda module, args, output: outputs.append(output[0]))
    try:
        pipe(PROMPT, guidance_scale=7.5, generator=noise(seed), **ARGUMENTS)
    finally:
        hook.remove()
    return float(sum((cond - uncond).double().square().sum() for uncond, cond in outputs[:FIRST]))


def test_all_seeds_kept_cost_nothing_more(sd: Any):
    found = chosen(sd, SGT(), keep=len(SEEDS))
    assert found.evaluations == sum(alone(sd, SGT(), seed).evaluations[0] for seed in SEEDS)


def test_a_decision_after_the_last_step_is_a_choice_among_whole_images(sd: Any):
    found = chosen(sd, CFG(), criterion=GuidanceEnergy(stop=1.0))
    assert {candidate.evaluations for candidate in found.candidates} == {2 * STEPS}
    assert torch.equal(found.results[0].images, alone(sd, CFG(), found.seeds[0]).images)


def test_a_start_leaves_the_pipeline_as_it_was(sd: Any):
    plain = sd(PROMPT, generator=noise(), **ARGUMENTS).images
    before = dict(vars(sd.unet))
    PartialRun(steer(sd, SGT()), PROMPT, 0, DetectorScore(), {"concepts": CONCEPTS, **ARGUMENTS})
    assert vars(sd.unet).keys() == before.keys()
    assert torch.equal(sd(PROMPT, generator=noise(), **ARGUMENTS).images, plain)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"seeds": ()}, "must be one or more"),
        ({"seeds": (1, 1)}, "all different"),
        ({"keep": 0}, "must be from 1"),
        ({"keep": 5}, "must be from 1"),
        ({"prompt": [PROMPT]}, "must be one text"),
        ({"generator": noise()}, "must be left out"),
        ({"latents": torch.zeros(1, 4, 8, 8)}, "must be left out"),
        ({"num_images_per_prompt": 2}, "must be left out"),
        ({"concepts": []}, "must be one or more"),
    ],
)
def test_what_cannot_be_is_refused(sd: Any, change: dict[str, Any], rule: str):
    given = {"prompt": PROMPT, "concepts": CONCEPTS, "seeds": SEEDS, **ARGUMENTS, **change}
    with refuses(next(iter(change)), rule):
        best_of(steer(sd, SGT()), **given)


def test_several_videos_of_a_seed_are_refused():
    with refuses("num_videos_per_prompt", "must be left out"):
        check_arguments(PROMPT, {"num_videos_per_prompt": 2}, "num_videos_per_prompt")


@pytest.mark.parametrize("parameters", [{"stop": 0.0}, {"stop": 1.5}, {"every": 0}])
def test_criteria_refuse_what_is_out_of_range(parameters: dict[str, Any]):
    with refuses(next(iter(parameters)), "must be a"):
        DetectorScore(**parameters)
    if "stop" in parameters:
        with refuses("stop"):
            GuidanceEnergy(**parameters)
