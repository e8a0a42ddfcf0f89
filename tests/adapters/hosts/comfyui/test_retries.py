"""Sampling with further seeds, with a stand-in for ComfyUI's custom sampling."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SGTv2
from semguide.guidance.attempts import attempts_of
from semguide.guidance.signal_score import STOP, first_steps
from support.comfyui import custom_sampling, standin
from support.comfyui.custom_sampling import RandomNoise, ancestral, latent
from support.comfyui.standin import conditioning
from support.refusals import refuses

PROMPT, CONCEPTS = "a red book and a yellow vase", ["a red book", "a yellow vase"]
STEPS = 10
FIRST = first_steps(STOP, STEPS)
SEED, RETRIES = 3, 4
SEEDS = attempts_of(SEED, RETRIES)


@pytest.fixture(autouse=True)
def comfyui(samplers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del samplers
    custom_sampling.install(monkeypatch)


def guider_of(rule: Any = None, concepts: Any = None, patcher: Any = None, **options: Any) -> Any:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(patcher or standin.Patcher(), SGT() if rule is None else rule)
    given = [conditioning(text) for text in CONCEPTS] if concepts is None else concepts
    guider.set_conds(conditioning(PROMPT, **options), conditioning(""), given)
    return guider


def sampling(sampler: Any = standin.euler, **changed: Any) -> Any:
    from semguide.adapters.hosts.comfyui.attempt import Sampling

    given = {"noise": RandomNoise(SEED), "sigmas": standin.schedule(STEPS), "latent": latent()}
    return Sampling(**{**given, "sampler": sampler, **changed})


def drawn(guider: Any, given: Any, threshold: float, retries: int = RETRIES) -> Any:
    from semguide.adapters.hosts.comfyui.retries import draw

    return draw(guider, given, retries, threshold)


def alone(seed: int, sampler: Any = standin.euler, guider: Any = None, **changed: Any) -> Any:
    """Return what SamplerCustomAdvanced makes of a seed."""
    return sampling(sampler, noise=RandomNoise(seed), **changed).draw(guider or guider_of())[0]["samples"]


def scores(sampler: Any = standin.euler, **changed: Any) -> dict[int, list[float]]:
    """Return the score of each image with each seed."""
    from semguide.adapters.hosts.comfyui.attempt import Attempt

    found = {}
    for seed in SEEDS:
        attempt = Attempt(guider_of(), sampling(sampler, noise=RandomNoise(seed), **changed), 2.0)
        attempt.run()
        found[seed] = attempt.scores
    return found


def highest(sampler: Any = standin.euler) -> int:
    found = scores(sampler)
    return max(found, key=lambda seed: found[seed][0])


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("sampler", [standin.euler, standin.heun, ancestral])
@pytest.mark.parametrize("rule", [SGT(), SGT(start=0.2, stop=0.3), SGTv2(warmup_steps=1), CFG()])
def test_a_seed_that_is_good_enough_is_drawn_as_by_comfyuis_own_node_to_the_bit(
    rule: Any, sampler: Any, images: int
) -> None:
    guider, given = guider_of(rule), sampling(sampler, latent=latent(images))
    found = drawn(guider, given, 0.0)
    assert torch.equal(found.output["samples"], alone(SEED, sampler, guider_of(rule), latent=latent(images)))
    assert torch.equal(found.denoised["samples"], found.output["samples"] / 2)
    assert found.seeds == [SEED] * images


def test_without_retries_it_is_comfyuis_own_node_and_nothing_is_scored() -> None:
    rule = SGT(start=0.2, stop=0.3)
    guider, plain = guider_of(rule), guider_of(rule)
    found = drawn(guider, sampling(), 1.0, retries=0)
    assert torch.equal(found.output["samples"], alone(SEED, guider=plain))
    assert guider.model_patcher.model.calls == plain.model_patcher.model.calls
    assert found.evaluations == sum(rows for _, rows in plain.model_patcher.model.calls)
    assert found.report == "seed 3, drawn"


@pytest.mark.parametrize("sampler", [standin.euler, standin.heun, ancestral])
def test_seeds_are_tried_until_one_is_good_enough_and_a_dropped_one_costs_its_first_steps(sampler: Any) -> None:
    known = scores(sampler)
    best = max(SEEDS[1:], key=lambda seed: known[seed][0])
    expected = next(seed for seed in SEEDS if known[seed][0] >= known[best][0])
    guider, plain = guider_of(), guider_of()
    found = drawn(guider, sampling(sampler), known[best][0])
    assert found.seeds == [expected]
    assert torch.equal(found.output["samples"], alone(expected, sampler, plain))
    per_step = 2 if sampler is standin.heun else 1
    dropped = SEEDS.index(expected) * FIRST * per_step * 4 - (per_step - 1) * SEEDS.index(expected) * 4
    whole = sum(rows for _, rows in plain.model_patcher.model.calls)
    assert found.evaluations == sum(rows for _, rows in guider.model_patcher.model.calls) == whole + dropped


@pytest.mark.parametrize("sampler", [standin.euler, standin.heun, ancestral])
@pytest.mark.parametrize("rule", [SGT(), SGTv2(warmup_steps=1)])
def test_where_no_seed_is_good_enough_the_best_goes_on_from_where_it_ended(rule: Any, sampler: Any) -> None:
    guider, plain = guider_of(rule), guider_of(rule)
    found = drawn(guider, sampling(sampler), 1.0)
    assert torch.equal(found.output["samples"], alone(found.seeds[0], sampler, plain))
    seen = [float(part.partition(": ")[2].removesuffix(", drawn")) for part in found.report.split("; ")]
    assert len(seen) == len(SEEDS)
    assert f"seed {found.seeds[0]}: {max(seen):.2f}, drawn" in found.report
    calls, whole = guider.model_patcher.model.calls, plain.model_patcher.model.calls
    first = [call for call in whole if call[0] > standin.schedule(STEPS)[FIRST]]
    assert len(calls) == len(first) * RETRIES + len(whole)
    assert calls[-(len(whole) - len(first)) :] == whole[len(first) :]


def test_the_seed_of_the_highest_score_is_the_best() -> None:
    assert drawn(guider_of(), sampling(), 1.0).seeds == [highest()]


def test_on_a_model_with_patches_the_best_is_drawn_from_its_first_step() -> None:
    def patched() -> Any:
        patcher = standin.Patcher()
        patcher.model_options = {"transformer_options": {"patches_replace": {"attn1": {("input", 1): 1}}}}
        return patcher

    guider, plain = guider_of(patcher=patched()), guider_of(patcher=patched())
    found = drawn(guider, sampling(), 1.0)
    assert found.seeds == [highest()]
    assert torch.equal(found.output["samples"], alone(found.seeds[0], guider=plain))
    calls, whole = guider.model_patcher.model.calls, plain.model_patcher.model.calls
    assert calls[-len(whole) :] == whole


def test_a_function_in_the_place_of_the_batch_is_still_used() -> None:
    counts: list[int] = []

    def batch(told: Any) -> Any:
        counts.append(sum(cond is not None for cond in told["conds"]))
        names = ("model", "conds", "input", "sigma", "model_options")
        return standin.calc_cond_batch(*(told[name] for name in names))

    patcher = standin.Patcher()
    patcher.model_options = {"sampler_calc_cond_batch_function": batch}
    found = drawn(guider_of(patcher=patcher), sampling(), 1.0)
    assert torch.equal(found.output["samples"], alone(found.seeds[0]))
    assert found.evaluations == sum(counts)


@pytest.mark.parametrize("sampler", [standin.euler, standin.heun])
def test_each_image_of_a_batch_is_tried_again_on_its_own(sampler: Any) -> None:
    images = 4
    batches = {seed: alone(seed, sampler, latent=latent(images)) for seed in SEEDS}
    known = scores(sampler, latent=latent(images))
    threshold = sorted(known[SEED])[1]  # one image is below it
    for level in (threshold, 1.0):
        found = drawn(guider_of(), sampling(sampler, latent=latent(images)), level)
        expected = [
            next((s for s in SEEDS if known[s][i] >= level), max(SEEDS, key=lambda s: known[s][i]))
            for i in range(images)
        ]
        assert found.seeds == expected
        whole = torch.stack([batches[seed][i] for i, seed in enumerate(expected)])
        assert torch.equal(found.output["samples"], whole)
        assert found.report.count("\n") == images - 1
        assert level == 1.0 or expected.count(SEED) == images - 1


def test_the_same_inputs_make_the_same_picture_and_the_same_report() -> None:
    guider = guider_of(SGTv2(warmup_steps=1))
    first, second = (drawn(guider, sampling(ancestral), 1.0) for _ in range(2))
    assert torch.equal(first.output["samples"], second.output["samples"])
    assert first.report == second.report


@pytest.mark.parametrize("images", [1, 2])
def test_the_trajectory_is_that_of_the_images_that_are_returned(images: int) -> None:
    guider, given = guider_of(), sampling(latent=latent(images))
    found = drawn(guider, given, 1.0)
    for i, seed in enumerate(found.seeds):
        plain = guider_of()
        alone(seed, guider=plain, latent=latent(images))
        assert guider.trace().to_dict()["images"][i] == plain.trace().to_dict()["images"][i]
    assert len(guider.trace().concepts) == images
    alone(SEED, guider=guider)
    plain = guider_of()
    alone(SEED, guider=plain)
    assert guider.trace().to_json() == plain.trace().to_json(), "its own next run is shown again"


def test_a_sampler_that_does_not_do_the_same_twice_is_told() -> None:
    assert "does not do the same twice" not in drawn(guider_of(), sampling(), 1.0).report
    assert "does not do the same twice" in drawn(guider_of(), sampling(custom_sampling.Restless()), 1.0).report


def test_a_patch_that_counts_images_is_told_where_one_was_drawn_alone() -> None:
    patcher = standin.Patcher()
    patcher.model_options = {"transformer_options": {"wrappers": {"sample": {"x": [1]}}}}
    report = drawn(guider_of(patcher=patcher), sampling(latent=latent(2)), 1.0).report
    assert report.endswith("for each image of the batch gave it that of the first.")


def region(**options: Any) -> Any:
    return [conditioning(CONCEPTS[0], **options), conditioning(CONCEPTS[1])]


HINTED = type("Control", (), {"cond_hint_original": torch.zeros(2, 3, 8, 8), "previous_controlnet": None})()
CHAINED = type("Control", (), {"cond_hint_original": None, "previous_controlnet": HINTED})()


@pytest.mark.parametrize(
    ("how", "given", "why"),
    [
        ({"concepts": []}, {}, "two concepts or more"),
        ({"concepts": [conditioning("a cat")]}, {}, "two concepts or more"),
        ({"rule": SGT(1.0)}, {}, "at a cfg of 1"),
        ({"concepts": region(area=(3, 3, 0, 0))}, {}, "an area, a mask or a range"),
        ({"concepts": region(mask=torch.ones(1, 6, 6))}, {}, "an area, a mask or a range"),
        ({"concepts": region(start_percent=0.0, end_percent=0.5)}, {}, "an area, a mask or a range"),
        ({}, {"latent": latent(noise_mask=torch.ones(1, 1, 6, 6))}, "a noise mask"),
        ({}, {"noise": custom_sampling.EmptyNoise()}, "does not follow a seed (EmptyNoise); connect RandomNoise"),
        ({}, {"sigmas": torch.zeros(1)}, "there are no steps"),
        ({"control": CHAINED}, {"latent": latent(2)}, "something for each image"),
        ({"hint": torch.zeros(2, 3)}, {"latent": latent(2)}, "something for each image"),
    ],
)
def test_what_cannot_be_tried_again_is_drawn_once_and_told(how: Any, given: Any, why: str) -> None:
    guider, given = guider_of(**how), sampling(**given)
    found = drawn(guider, given, 1.0)
    assert found.report.startswith("Drawn once: ")
    assert why in found.report
    assert torch.equal(found.output["samples"], given.draw(guider_of(**how))[0]["samples"])


@pytest.mark.parametrize("how", [{"concepts": []}, {"rule": CFG()}])
def test_a_batch_that_nothing_looked_at_is_drawn_too(how: Any) -> None:
    found = drawn(guider_of(**how), sampling(latent=latent(3)), 1.0, retries=0)
    assert found.seeds == [SEED] * 3
    assert torch.equal(found.output["samples"], alone(SEED, guider=guider_of(**how), latent=latent(3)))


def test_what_is_for_each_image_is_no_obstacle_where_there_is_one() -> None:
    assert not drawn(guider_of(control=CHAINED), sampling(), 0.0).report.startswith("Drawn once")


def test_the_node_returns_the_picture_its_seed_and_what_was_tried() -> None:
    from semguide.adapters.hosts.comfyui.retry_node import SamplerWithRetries

    guider = guider_of()
    inputs = (RandomNoise(SEED), guider, standin.euler, standin.schedule(STEPS), latent(), RETRIES, 1.0)
    output, denoised, seed, evaluations, report = SamplerWithRetries().sample(*inputs)
    assert seed == highest()
    assert torch.equal(output["samples"], alone(seed))
    assert torch.equal(denoised["samples"], output["samples"] / 2)
    assert evaluations == sum(rows for _, rows in guider.model_patcher.model.calls)
    assert report.count("seed") == len(SEEDS)


def test_another_guider_is_refused(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.retry_node import SamplerWithRetries

    with refuses("guider", "must come from the node Semantic Guidance"):
        SamplerWithRetries().sample(None, samplers.CFGGuider(standin.Patcher()), None, None, None, 1, 0.5)
