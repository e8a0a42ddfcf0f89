from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from semguide import CFG, SGT, SGTv1
from semguide.concepts import decompose
from semguide.errors import InvalidArgument
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.sampling_methods import SAMPLING_METHODS, SampledImage, SamplingOptions, sample_with_rule
from semguide.evaluation.sampling_methods.best_of import (
    BestOf,
    BestOfCLIP,
    BestOfDetector,
    BestOfRejection,
    Retry,
    clip_folder,
)
from support.refusals import refuses
from support.tiny.stable_diffusion import tiny_stable_diffusion

SAMPLING = SamplingOptions(num_inference_steps=6, height=64, width=64)
PROMPT = "a cat and a dog"
CONCEPTS = decompose(PROMPT)
BEST_OF = [BestOfDetector(), BestOfRejection(), BestOfCLIP()]


@pytest.fixture(scope="module")
def pipe() -> Any:
    found = tiny_stable_diffusion()
    found.set_progress_bar_config(disable=True)
    return found


def make(pipe: Any, method: BestOf, seed: int = 1) -> SampledImage:
    return method.bind(pipe, SAMPLING)(PROMPT, CONCEPTS, seed)


@pytest.mark.parametrize("method", BEST_OF, ids=lambda method: method.name)
@pytest.mark.parametrize("rule", ["cfg", "sgt"])
def test_the_image_is_that_of_the_best_seed_and_costs_what_is_stated(pipe: Any, method: BestOf, rule: str):
    method = replace(method, rule=rule, seeds=3, guidance_scale=5.0)
    made = make(pipe, method)
    assert made.details is not None
    candidates = made.details["candidates"]
    assert [candidate["seed"] for candidate in candidates] == [1, 10_001, 20_001]
    (kept,) = [candidate for candidate in candidates if candidate["kept"]]
    assert kept["score"] == max(candidate["score"] for candidate in candidates)
    alone = sample_with_rule(pipe, method.image_rule(), SAMPLING)(PROMPT, CONCEPTS, kept["seed"])
    assert np.array_equal(np.asarray(made.image), np.asarray(alone.image))
    assert made.evaluations == sum(candidate["evaluations"] for candidate in candidates)
    assert made.evaluations == method.evaluations_per_image(6, len(CONCEPTS))


def test_the_costs_are_those_counted_by_hand():
    assert BestOfCLIP().evaluations_per_image(25, 2) == 2 * 50
    assert BestOfRejection().evaluations_per_image(25, 2) == 4 * 8 * 2 + 17 * 2
    assert BestOfDetector().evaluations_per_image(25, 2) == 4 * 8 * 4 + 17 * 2
    assert BestOfDetector(every=8).evaluations_per_image(25, 2) == 4 * (8 * 2 + 2) + 17 * 2
    assert BestOfDetector(rule="sgt").evaluations_per_image(25, 2) == 4 * 8 * 4 + 2 * 4 + 15 * 2


@pytest.mark.parametrize(("threshold", "started"), [(0.0, 1), (1.0, 3)])
def test_a_retry_starts_seeds_until_one_reaches_the_threshold(pipe: Any, threshold: float, started: int):
    method = Retry(seeds=3, threshold=threshold)
    made = make(pipe, method)
    assert made.details is not None
    candidates = made.details["candidates"]
    assert [candidate["seed"] for candidate in candidates] == [1, 10_001, 20_001][:started]
    (kept,) = [candidate for candidate in candidates if candidate["kept"]]
    assert kept["score"] == max(candidate["score"] for candidate in candidates)
    alone = sample_with_rule(pipe, method.image_rule(), SAMPLING)(PROMPT, CONCEPTS, kept["seed"])
    assert np.array_equal(np.asarray(made.image), np.asarray(alone.image))
    assert made.evaluations == sum(candidate["evaluations"] for candidate in candidates)
    assert method.evaluations_per_image(6, 2) is None


def test_a_lone_concept_costs_what_the_detector_looks_at_alone():
    method = BestOfDetector(seeds=3, rule="sgt", stop=0.2, every=1)  # SGT itself leaves a lone concept alone
    assert method.evaluations_per_image(10, 1) == 3 * 2 * (2 + 1) + 8 * 2
    assert BestOfCLIP(seeds=3, rule="sgt").evaluations_per_image(10, 1) == 3 * 10 * 2


def test_the_scores_of_the_clip_are_its_similarities_with_the_prompt(pipe: Any):
    made = make(pipe, BestOfCLIP(seeds=3))
    assert made.details is not None
    plain = sample_with_rule(pipe, CFG(), SAMPLING)
    pictures = [plain(PROMPT, CONCEPTS, candidate["seed"]).image for candidate in made.details["candidates"]]
    clip = load_clip(clip_folder("emoji-clip"), "cpu")
    expected = [
        float(clip.texts([PROMPT])[0] @ clip.image(picture)) for picture in pictures if isinstance(picture, Image)
    ]
    assert [candidate["score"] for candidate in made.details["candidates"]] == pytest.approx(expected)


def test_one_seed_is_the_rule_alone(pipe: Any):
    made, alone = (
        make(pipe, BestOfCLIP(seeds=1, rule="sgt")),
        sample_with_rule(pipe, SGT(), SAMPLING)(PROMPT, CONCEPTS, 1),
    )
    assert np.array_equal(np.asarray(made.image), np.asarray(alone.image))
    assert made.evaluations == alone.evaluations


def test_images_of_different_seeds_are_chosen_from_different_seeds():
    method = BestOfDetector(seeds=8)
    chosen = [seed for image in range(100) for seed in method.candidates(image)]
    assert len(set(chosen)) == len(chosen)


def test_the_pipeline_is_left_as_it_was(pipe: Any):
    def plain() -> np.ndarray:
        generator = torch.Generator().manual_seed(0)
        return np.asarray(pipe(PROMPT, num_inference_steps=2, generator=generator).images[0])

    before = plain()
    for method in BEST_OF:
        make(pipe, method)
    assert np.array_equal(plain(), before)


def test_what_else_decides_the_images_is_in_the_identity():
    detector, clip = BestOfDetector(rule="sgt").identity(), BestOfCLIP().identity()
    assert detector["rule"]["strength"] == SGT().strength
    assert {"intercept", "cosine", "relative", "stop"} == set(detector["detector"])
    assert clip["clip"].startswith("sha256:")


@pytest.mark.parametrize(
    ("name", "parameters", "named"),
    [
        ("best-of-detector", {"seeds": 0}, "seeds"),
        ("best-of-detector", {"rule": "cgf"}, "method"),
        ("best-of-detector", {"stop": 0.0}, "stop"),
        ("best-of-detector", {"every": 0}, "every"),
        ("best-of-rejection", {"stop": 2.0}, "stop"),
        ("retry", {"threshold": 1.5}, "threshold"),
        ("best-of-clip", {"guidance_scale": 0.5}, "guidance_scale"),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, parameters: dict[str, Any], named: str):
    with refuses(named):
        SAMPLING_METHODS[name](**parameters)


def test_a_folder_without_a_clip_is_refused_before_any_work():
    with refuses("clip"):
        BestOfCLIP(clip="/nowhere").identity()


def test_a_rule_can_be_given_with_parameters() -> None:
    rule = Retry(rule="sgt-v1:concept_guidance_scale=4, cooldown_steps=10", guidance_scale=5.0).image_rule()
    assert rule == SGTv1(guidance_scale=5.0, concept_guidance_scale=4, cooldown_steps=10)
    for wrong in ("sgt-v1:strength=4", "sgt-v1:guidance_scale=4", "sgt-v1:concept_guidance_scale=much"):
        with pytest.raises(InvalidArgument, match="concept_guidance_scale"):
            Retry(rule=wrong)


def test_an_image_of_one_concept_is_not_tried_again(pipe: Any) -> None:
    method = Retry(threshold=1.0, guidance_scale=5.0)
    made = method.bind(pipe, SAMPLING)("a cat", decompose("a cat"), 1)
    alone = sample_with_rule(pipe, method.image_rule(), SAMPLING)("a cat", decompose("a cat"), 1)
    assert made.evaluations == alone.evaluations == 2 * SAMPLING.num_inference_steps
    assert np.array_equal(np.asarray(made.image), np.asarray(alone.image))
