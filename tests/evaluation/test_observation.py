"""The key observation and the detector fitted on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semguide.adapters import steer
from semguide.evaluation.calibration import (
    Judged,
    fit_detector,
    held_out,
    judged_concepts,
    probabilities,
    reliability,
)
from semguide.evaluation.observation import Observations, auroc, auroc_interval, observed, record_signals
from semguide.evaluation.suites import suite
from semguide.guidance import CFG
from semguide.guidance.signals import SIGNALS
from semguide.models import load
from semguide_emoji.evaluation.detections import findings, verdicts
from semguide_emoji.judge import Judge
from support.refusals import refuses
from support.tiny.stable_diffusion import save_tiny_checkpoint
from support.tiny_judge import save_tiny_judge, tiny_pictures


def made_up(count: int = 400, seed: int = 0) -> Observations:
    """Pairs of concepts of which the one with the greater lead is right more often."""
    rng = np.random.default_rng(seed)
    cosine = rng.uniform(-0.5, 0.9, size=(count // 2, 2))
    relative = np.stack([cosine[:, 0] - cosine[:, 1], cosine[:, 1] - cosine[:, 0]], axis=1)
    right = rng.random(cosine.shape) < 1 / (1 + np.exp(-(0.5 + 3 * relative)))
    steps = np.ones((1, 6))
    signals = {name: cosine.reshape(-1, 1) * steps for name in SIGNALS}
    signals["relative_cosine"] = relative.reshape(-1, 1) * steps
    image = np.repeat(np.arange(count // 2), 2)
    return Observations(signals, right.reshape(-1), image, image)


def test_auroc_is_the_chance_that_a_right_concept_scores_higher() -> None:
    score, right = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    assert auroc(score, right) == 0.75
    assert auroc(-score, right) == 0.25
    assert auroc(np.zeros(4), right) == 0.5
    assert np.isnan(auroc(score, np.ones(4, dtype=bool)))


def test_an_interval_holds_the_estimate() -> None:
    seen = made_up()
    found, low, high = auroc_interval(seen.early("relative_cosine"), seen, resamples=200)
    assert 0.5 < low < found < high < 1.0


def test_the_fitted_detector_finds_the_law_that_made_the_data() -> None:
    detector = fit_detector(made_up(20_000))
    assert detector.intercept == pytest.approx(0.5, abs=0.15)
    assert detector.relative == pytest.approx(3.0, abs=0.3)
    assert detector.cosine == pytest.approx(0.0, abs=0.3)


def test_probabilities_of_the_fitted_detector_are_reliable_on_other_data() -> None:
    detector, other = fit_detector(made_up(20_000)), made_up(20_000, seed=1)
    found = reliability(probabilities(detector, other), other.right)
    assert found.brier < found.base
    np.testing.assert_allclose(found.predicted, found.happened, atol=0.05)


def test_the_reliability_of_fewer_concepts_than_bins_has_a_point_for_each() -> None:
    found = reliability(np.array([0.9, 0.2]), np.array([True, False]))
    assert found.predicted.tolist() == [0.2, 0.9]
    assert found.happened.tolist() == [0.0, 1.0]


def test_a_detector_needs_right_and_wrong_concepts() -> None:
    seen = made_up()
    only = Observations(seen.signals, np.ones_like(seen.right), seen.prompt, seen.image)
    with refuses("observed", "must hold right and wrong concepts"):
        fit_detector(only)


def judged(count: int = 400) -> Judged:
    seen = made_up(count)
    cosine, relative = (seen.early(name) for name in ("signed_cosine", "relative_cosine"))
    return Judged(cosine, relative, seen.right, seen.prompt)


def test_a_prompt_is_told_by_a_detector_that_has_not_seen_it() -> None:
    given = judged()
    found = reliability(held_out(given), given.right)
    assert found.brier < found.base
    noise = Judged(np.zeros(400), np.zeros(400), given.right, given.prompt)
    told = held_out(noise)
    assert np.ptp(told) < 0.1


def test_wrong_concepts_in_one_prompt_only_are_too_few() -> None:
    given = judged()
    with refuses("observed", "must have right concepts in two prompts or more"):
        held_out(Judged(given.cosine, given.relative, given.prompt != 0, given.prompt))


def test_images_without_a_verdict_or_with_a_cosine_that_is_no_number_are_left_out() -> None:
    rows = [
        {"id": "1", "prompt": "a", "similarity": [[0.5, 0.3], None, None]},
        {"id": "2", "prompt": "a", "similarity": [[0.5, None], None, None]},
        {"id": "3", "prompt": "b", "similarity": None},
        {"id": "4", "prompt": "b", "similarity": [[0.1, 0.2], None, None]},
        {"id": "5", "prompt": "c", "similarity": [[0.2, 0.2], None, None]},
    ]
    verdicts = {"1": [True, False], "2": [True, True], "3": [True, True], "4": None, "5": [False, True]}
    found = judged_concepts(rows, verdicts)
    np.testing.assert_allclose(found.cosine, [0.5, 0.3, 0.2, 0.2])
    np.testing.assert_allclose(found.relative, [0.2, -0.2, 0.0, 0.0])
    assert found.right.tolist() == [True, False, False, True]
    assert found.prompt.tolist() == [0, 0, 2, 2]
    with refuses("judge"):
        judged_concepts(rows, dict.fromkeys("12345"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Judge]:
    folder = tmp_path_factory.mktemp("observation")
    checkpoint = save_tiny_checkpoint(folder / "tiny-sd")
    pipe: Any = load(str(checkpoint), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe, Judge.load(Path(save_tiny_judge(folder / "judge", tiny_pictures(checkpoint, 4))))


def test_observing_records_every_signal_of_every_concept_and_changes_no_image(world: tuple[Any, Judge]) -> None:
    pipe, judge = world
    prompts = [p for p in suite("emoji-ae") if {c.head for c in p.concepts} <= set(judge.config.nouns)][:2]
    told: list[int] = []
    watched = record_signals(pipe, prompts, (0, 1), guidance_scale=5.0, num_inference_steps=3, progress=told.append)
    found = verdicts(findings(judge, watched.pictures.images), prompts)
    seen = observed(watched, found, prompts)
    assert sum(told) == 4
    assert seen.prompt.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert seen.image.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert seen.right.tolist() == [ok for verdict in found for ok in verdict]
    assert all(found.shape == (8, 3) for found in seen.signals.values())
    alone = steer(pipe, CFG(5.0))(
        prompts[1].text,
        concepts=list(prompts[1].concepts),
        full_trace=True,
        num_inference_steps=3,
        generator=torch.Generator().manual_seed(1),
    )
    np.testing.assert_array_equal(watched.pictures.images[3], np.asarray(alone.images[0]))
    np.testing.assert_allclose(seen.signals["signed_cosine"][6:].T, alone.trace.similarity[0], atol=1e-4)
