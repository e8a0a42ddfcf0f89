"""The key observation and the detector fitted on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semguide.adapters import steer
from semguide.evaluation.calibration import reliability
from semguide.evaluation.image_batches import generate_batches
from semguide.evaluation.observation import (
    Observations,
    auroc,
    auroc_interval,
    fit_detector,
    observed,
    probabilities,
    record_signals,
)
from semguide.evaluation.suites import suite
from semguide.guidance import CFG, BalancedSGT
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


def test_a_detector_needs_right_and_wrong_concepts() -> None:
    seen = made_up()
    only = Observations(seen.signals, np.ones_like(seen.right), seen.prompt, seen.image)
    with refuses("observed", "must hold right and wrong concepts"):
        fit_detector(only)


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
    watched = record_signals(pipe, CFG(5.0), prompts, (0, 1), num_inference_steps=3, progress=told.append)
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


def test_observing_a_rule_changes_no_image_and_sees_all_its_steps(world: tuple[Any, Judge]) -> None:
    pipe, _ = world
    prompts = suite("emoji-ae")[:3]
    rule = BalancedSGT(5.0, stop=0.4)
    watched = record_signals(pipe, rule, prompts, (0,), num_inference_steps=3)
    unwatched = generate_batches(pipe, rule, prompts, (0,), num_inference_steps=3)
    np.testing.assert_array_equal(watched.pictures.images, unwatched.images)
    assert watched.pictures.evaluations > unwatched.evaluations
    assert all(found.shape == (6, 3) and np.isfinite(found).all() for found in watched.signals.values())


def test_signals_are_those_of_their_images_also_in_a_second_batch(world: tuple[Any, Judge]) -> None:
    pipe, _ = world
    prompts = suite("emoji-ae")[:2]
    together = record_signals(pipe, CFG(5.0), prompts, range(17), num_inference_steps=1)
    for place, (prompt, seed) in {0: (0, 0), 33: (1, 16)}.items():
        alone = record_signals(pipe, CFG(5.0), [prompts[prompt]], (seed,), num_inference_steps=1)
        for name, found in together.signals.items():
            np.testing.assert_allclose(found[2 * place : 2 * place + 2], alone.signals[name], atol=1e-3, err_msg=name)
