"""The guidance p that a rule keeps late in a run, so that e(0) is not evaluated."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SGTv1, steer
from semguide.errors import SemguideWarning
from semguide.guidance import METHODS, Predictions, Step
from support.families.run import ROWS, arguments_of, made
from support.families.table import FAMILIES
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, fresh, noise
from support.tiny.stable_diffusion import tiny_stable_diffusion

STEPS = 12
RULE = SGT(stop=0.4, uncond_every=3)
FRESH = [0, 1, 2, 3, 4, 5, 6, 9]
"""The steps of 12 at which e(0) is evaluated, every third of the second half."""


class Seen:
    """Remembers the predictions of every step."""

    def __init__(self) -> None:
        self.predictions: dict[tuple[int, int], Predictions] = {}

    def needs_concepts(self, step: int, count: int) -> bool:
        return False

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        self.predictions[image, step.index] = predictions


def rows_of(module: torch.nn.Module) -> list[int]:
    """Return a list that fills with the rows of every call of a part of the denoiser."""
    found: list[int] = []
    module.register_forward_pre_hook(lambda _, given: found.append(len(given[0])))
    return found


def run(pipe: Any, rule: Any, name: str = "", **changes: Any) -> Any:
    given = arguments_of(FAMILIES[name]) if name else {"generator": noise(), "output_type": "latent"}
    steered = steer(pipe, rule, batch_invariant=changes.pop("batch_invariant", True))
    return steered(**{"prompt": PROMPT, "concepts": CONCEPTS, **given, "num_inference_steps": STEPS, **changes})


@pytest.fixture
def pipe() -> Any:
    return fresh(tiny_stable_diffusion(), deep=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("concepts", [0, 1, 3])
def test_no_step_within_a_rules_window_or_in_the_first_half_keeps_the_guidance(method: str, concepts: int) -> None:
    rule = METHODS[method](uncond_every=2)
    for count in (1, 2, 9, 14, 60):
        kept = [step for step in range(count) if rule.reuses_guidance(step, count, concepts)]
        asked = [step for step in range(count) if rule.needs_concepts(step, count, concepts)]
        assert all(step > max([count // 2 - 1, *asked]) for step in kept)
        assert all(after > before + 1 for before, after in itertools.pairwise(kept))
        assert rule.uses_concepts or rule.is_noop or not kept


def test_one_call_has_half_its_rows_where_both_predictions_are_in_it(pipe: Any) -> None:
    rows = rows_of(pipe.unet.conv_in)
    result = run(pipe, RULE)
    own = [2 if step in FRESH else 1 for step in range(STEPS)]
    with_concepts = [part for step, number in enumerate(own) for part in ([number, 2] if step < 5 else [number])]
    assert rows == with_concepts
    assert result.evaluations == [sum(rows)] == [RULE.evaluations_per_image(STEPS, 2)]


def test_the_second_call_is_not_made_where_there_are_two() -> None:
    found = ROWS["flux"].make()
    rows = rows_of(found.transformer.x_embedder)
    result = run(found, RULE, "flux")
    assert result.evaluations == [sum(rows)] == [RULE.evaluations_per_image(STEPS, 2)]
    assert len(rows) == STEPS + len(FRESH) + 5


@pytest.mark.parametrize(
    "name", ["sd", "sd3", "flux", "qwen-image", "pixart-sigma", "z-image", "hidream", "cogview4", "wan"]
)
def test_what_is_kept_is_the_last_difference_of_the_two_predictions(name: str) -> None:
    seen = Seen()
    run(made(name), RULE, name, watcher=seen)
    for step in range(STEPS):
        here, last = seen.predictions[0, step], seen.predictions[0, max(i for i in FRESH if i <= step)]
        torch.testing.assert_close(here.prompt_guidance, last.prompt_guidance, rtol=1e-4, atol=1e-5)
        assert step in FRESH or not torch.equal(here.cond, last.cond)


def test_until_the_first_spared_evaluation_the_steps_are_those_without(pipe: Any) -> None:
    seen, without = Seen(), Seen()
    run(pipe, RULE, watcher=seen)
    run(pipe, SGT(stop=0.4), watcher=without)
    same = [torch.equal(seen.predictions[0, i].cond, without.predictions[0, i].cond) for i in range(STEPS)]
    assert same == [True] * 7 + [False] * 5  # at step 7 a call has one row less, which moves the last bit
    torch.testing.assert_close(seen.predictions[0, 7].cond, without.predictions[0, 7].cond)
    assert not torch.allclose(seen.predictions[0, 8].cond, without.predictions[0, 8].cond)


@pytest.mark.parametrize("name", ["sd", "flux"])
@pytest.mark.parametrize("rule", [RULE, CFG(uncond_every=2), SGTv1(cooldown_steps=3, uncond_every=2)])
def test_an_image_is_the_one_that_it_is_alone(name: str, rule: Any) -> None:
    prompts, concepts = [PROMPT, "a cat"], [CONCEPTS, ["a cat"]]
    given = {"output_type": "latent", "generator": [noise(1), noise(2)]}
    both = run(made(name), rule, name, **{**given, "prompt": prompts, "concepts": concepts}, **negative(name, 2))
    for i in range(2):
        alone = {**given, "generator": noise(i + 1), "prompt": prompts[i], "concepts": concepts[i]}
        single = run(made(name), rule, name, **alone, **negative(name, 1))
        assert torch.equal(single.images[0], both.images[i])
        assert single.evaluations == [both.evaluations[i]]


def negative(name: str, count: int) -> dict[str, Any]:
    return {"negative_prompt": [""] * count} if name == "flux" else {}


def test_images_whose_rules_end_at_different_steps_share_a_call(pipe: Any) -> None:
    rule = SGT(stop=0.75, uncond_every=2)
    prompts: dict[str, Any] = {"prompt": [PROMPT, "a cat"], "concepts": [CONCEPTS, []]}
    together = run(pipe, rule, **prompts, generator=[noise(1), noise(2)], batch_invariant=False)
    apart = run(pipe, rule, **prompts, generator=[noise(1), noise(2)])
    assert together.evaluations == apart.evaluations == [2 * 12 + 2 * 9 - 1, 2 * 12 - 3]
    torch.testing.assert_close(together.images, apart.images, rtol=1e-4, atol=1e-2)


def test_a_rule_that_acts_to_the_end_says_that_nothing_was_spared(pipe: Any) -> None:
    with pytest.warns(SemguideWarning, match="uncond_every changed nothing: none of the 12 steps is left"):
        result = run(pipe, SGTv1(uncond_every=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = run(pipe, SGTv1())
        run(pipe, CFG(uncond_every=2))
    assert torch.equal(result.images, plain.images)


def test_a_denoiser_that_makes_no_unconditional_prediction_refuses_it() -> None:
    found = ROWS["flux"].make()
    found.transformer.register_to_config(guidance_embeds=True)
    given = {key: value for key, value in arguments_of(FAMILIES["flux"]).items() if key != "true_cfg_scale"}
    given = {key: value for key, value in given.items() if key != "negative_prompt"}
    with refuses("uncond_every", value=2):
        steer(found, SGT(uncond_every=2))(PROMPT, concepts=CONCEPTS, **given)
