"""The whole folder: properties of all rules."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch

from semguide.guidance import CDG, CFG, METHODS, CO3Composition, Personalization, Predictions, Rule, Step
from semguide.guidance.parameters import parameters_of
from support.refusals import refuses
from support.rule_cases import ACTIVE, INERT, deltas, map_predictions, name_of, random_predictions

ALL = [*ACTIVE, INERT[0], CDG(), Personalization()]
OFF = [(rule, {p.name: p.off}) for rule in ACTIVE for p in parameters_of(type(rule)) if p.off is not None]
WINDOWS: dict[str, Any] = {"start": 0.25, "stop": 0.75, "warmup_steps": 1, "cooldown_steps": 2, "momentum_scale": 0.0}
active = pytest.mark.parametrize("rule", ACTIVE, ids=name_of)
every = pytest.mark.parametrize("rule", ALL, ids=name_of)
differences = pytest.mark.parametrize("rule", [rule for rule in ACTIVE if rule.uses_concepts], ids=name_of)
is_noop = pytest.mark.parametrize("rule", INERT, ids=name_of)
# CO3 weighs concepts by distances in units of eps, so only its equal weights are free of scale.
scale_free = pytest.mark.parametrize(
    "rule",
    [*(rule for rule in ACTIVE if not isinstance(rule, CO3Composition)), CO3Composition(closeness=0.0, stop=1.0)],
    ids=name_of,
)


def trajectory(seed: int, steps: int = 4, **options: Any) -> list[Predictions]:
    return [random_predictions(100 * seed + step, **options) for step in range(steps)]


@active
def test_open_gates_change_the_guidance(rule: Rule[Any]) -> None:
    assert all(delta.abs().max() > 0 for delta in deltas(rule, trajectory(1))[1:])


@is_noop
def test_off_value_returns_plain_cfg(rule: Rule[Any]) -> None:
    assert rule.is_noop
    assert all((delta == 0).all() for delta in deltas(rule, trajectory(1)))
    assert not any(rule.needs_concepts(step, 10, 2) for step in range(10))


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_and_shape_are_kept(rule: Rule[Any], dtype: torch.dtype) -> None:
    sequence = [map_predictions(p, lambda x: x.to(dtype)) for p in trajectory(1)]
    for delta in deltas(rule, sequence):
        assert delta.dtype == dtype
        assert delta.shape == sequence[0].uncond.shape
        assert delta.isfinite().all()


@active
def test_half_precision_agrees_with_double_to_its_rounding(rule: Rule[Any]) -> None:
    sequence = [map_predictions(p, lambda x: x.half().double()) for p in trajectory(2)]
    exact = deltas(rule, sequence)
    halves = deltas(rule, [map_predictions(p, lambda x: x.half()) for p in sequence])
    for half, double in zip(halves, exact, strict=True):
        torch.testing.assert_close(half.double(), double, rtol=2e-3, atol=2e-3 * float(double.abs().max()))


@active
def test_large_half_precision_predictions_do_not_overflow(rule: Rule[Any]) -> None:
    sequence = [map_predictions(p, lambda x: (1000 * x).half()) for p in trajectory(3)]
    assert all(delta.isfinite().all() for delta in deltas(rule, sequence))


@every
def test_tokens_and_channels_are_as_good_as_images(rule: Rule[Any]) -> None:
    assert all(delta.shape == (12, 3) for delta in deltas(rule, trajectory(1, dims=(12, 3))))


@active
@pytest.mark.parametrize("concepts", [1, 2, 5])
def test_samples_are_independent(rule: Rule[Any], concepts: int) -> None:
    first, second = trajectory(1, concepts=concepts), trajectory(2, concepts=concepts)
    states = [rule.initial_state(concepts), rule.initial_state(concepts)]
    for index in range(4):
        for sample, sequence in enumerate((first, second)):
            step = Step(index, 4, rule.guidance_scale)
            correction, states[sample] = rule.correct(sequence[index], step, states[sample])
            assert torch.equal(correction.delta, deltas(rule, sequence)[index])


@every
def test_corrections_are_pure(rule: Rule[Any]) -> None:
    predictions = random_predictions(7)
    before = map_predictions(predictions, torch.clone)
    assert torch.equal(*(deltas(rule, [predictions, predictions])[1] for _ in range(2)))
    assert torch.equal(predictions.concepts, before.concepts)
    assert torch.equal(predictions.uncond, before.uncond)


@every
def test_corrections_never_wait_for_the_device(rule: Rule[Any]) -> None:
    """Tensors of the meta device have no values, so reading one fails."""
    sequence = [map_predictions(p, lambda x: x.to("meta")) for p in trajectory(1)]
    assert all(delta.device.type == "meta" for delta in deltas(rule, sequence))


@every
@pytest.mark.parametrize("count", [1, 2])  # SGT corrects nothing with one concept
@pytest.mark.parametrize("kind", ["no guidance", "concept is the prompt", "opposite concept", "no concept guidance"])
def test_degenerate_guidance_stays_finite(rule: Rule[Any], kind: str, count: int) -> None:
    p = random_predictions(5, concepts=1)
    concepts = {
        "no guidance": p.uncond,
        "concept is the prompt": p.cond,
        "opposite concept": 2 * p.uncond - p.cond,
        "no concept guidance": p.uncond,
    }[kind]
    both = torch.stack([concepts] * count)
    same = Predictions(p.uncond, p.uncond if kind == "no guidance" else p.cond, both)
    assert all(delta.isfinite().all() for delta in deltas(rule, [same] * 3))


@scale_free
def test_corrections_scale_with_the_predictions(rule: Rule[Any]) -> None:
    """So eps, v and x0 predictions are steered alike: their differences are multiples of one another."""
    sequence = trajectory(4)
    for factor in (-0.5, 3.0):
        scaled = deltas(rule, [map_predictions(p, lambda x, f=factor: f * x) for p in sequence])
        for delta, plain in zip(scaled, deltas(rule, sequence), strict=True):
            torch.testing.assert_close(delta, factor * plain)


@differences
def test_prediction_type_does_not_matter_when_its_scale_changes_from_step_to_step(rule: Rule[Any]) -> None:
    sequence, scales = trajectory(6), [0.2, 0.5, -0.9, 2.0]
    raw = [map_predictions(p, lambda x, s=scale: x / s) for p, scale in zip(sequence, scales, strict=True)]
    for delta, plain, scale in zip(deltas(rule, raw, scales), deltas(rule, sequence), scales, strict=True):
        torch.testing.assert_close(scale * delta, plain)


@differences
def test_unconditional_prediction_cancels(rule: Rule[Any]) -> None:
    sequence = trajectory(8)
    shifted = [map_predictions(p, lambda x: x + 3.0) for p in sequence]
    for delta, plain in zip(deltas(rule, shifted), deltas(rule, sequence), strict=True):
        torch.testing.assert_close(delta, plain)


@every
def test_concepts_that_are_not_needed_make_no_difference(rule: Rule[Any]) -> None:
    rule = dataclasses.replace(rule, **{key: value for key, value in WINDOWS.items() if hasattr(rule, key)})
    sequence = trajectory(9)
    needed = [rule.needs_concepts(step, 4, 2) for step in range(4)]
    others = [
        p if use else Predictions(p.uncond, p.cond, p.concepts + 1) for p, use in zip(sequence, needed, strict=True)
    ]
    for delta, plain in zip(deltas(rule, others), deltas(rule, sequence), strict=True):
        assert torch.equal(delta, plain)


@every
def test_record_has_one_number_per_concept(rule: Rule[Any]) -> None:
    predictions = random_predictions(1, concepts=3)
    correction, _ = rule.correct(predictions, Step(0, 4, 7.5), rule.initial_state(3))
    for name in ("similarity", "gate", "weight"):
        assert getattr(correction, name).shape == (3,)
    assert (correction.similarity.abs() <= 1).all()


@pytest.mark.parametrize("rule", METHODS.values(), ids=list(METHODS))
def test_rules_refuse_numbers_that_make_no_sense(rule: type[Rule[Any]]) -> None:
    for field in dataclasses.fields(rule):
        values: list[Any] = [math.nan, math.inf, -2.0, None, "high", True]
        for value in values:
            with refuses(field.name):
                rule(**{field.name: value})


@pytest.mark.parametrize("rule", METHODS.values(), ids=list(METHODS))
def test_every_parameter_says_what_it_means_and_which_values_it_takes(rule: type[Rule[Any]]) -> None:
    for each in parameters_of(rule):
        assert each.help.endswith("."), each.name
        assert each.choices or each.type == "boolean" or each.low is not None, each.name
        assert each.default == getattr(rule(), each.name)
    has_slider = rule.uses_concepts and not issubclass(rule, CFG)
    assert sum(each.strength for each in parameters_of(rule)) == (1 if has_slider else 0)


@pytest.mark.parametrize(("rule", "off"), OFF, ids=[f"{rule.name}.{name}" for rule, off in OFF for name in off])
def test_the_off_value_of_a_parameter_makes_the_rule_plain_guidance(rule: Rule[Any], off: dict[str, float]) -> None:
    assert deltas(rule, trajectory(1))[-1].abs().max() > 0
    assert all((delta == 0).all() for delta in deltas(dataclasses.replace(rule, **off), trajectory(1)))


@pytest.mark.parametrize("rule", METHODS.values(), ids=list(METHODS))
def test_rules_are_values_with_a_citation(rule: type[Rule[Any]]) -> None:
    assert rule() == rule()
    assert rule(guidance_scale=1.0) != rule()
    assert rule.citation().startswith("@article{")
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule().guidance_scale = 2.0  # type: ignore[misc]
