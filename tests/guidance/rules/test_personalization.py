"""Personalization guidance: no correction of its own, for e(0) is that of a weaker model."""

from __future__ import annotations

from typing import Any

import pytest

from semguide.guidance import CDG, METHODS, Personalization, Step, idle_warning
from support.refusals import refuses
from support.rule_cases import hand_predictions


def test_it_corrects_nothing_and_needs_no_concepts() -> None:
    correction, _ = Personalization().correct(hand_predictions([3, 4]), Step(0, 10, 7.5), None)
    assert (correction.delta == 0).all()
    assert not any(Personalization().needs_concepts(step, 10, 2) for step in range(10))
    assert Personalization().evaluations_per_image(10, 2) == 20


def test_only_this_rule_weakens_adapters_and_not_at_omega_1() -> None:
    shares = {name: METHODS[name]().null_adapters for name in METHODS}
    assert shares == {**dict.fromkeys(METHODS, 1.0), "personalization": Personalization().omega}
    assert Personalization(omega=0.0).null_adapters == 0.0
    assert Personalization(omega=1.0).is_noop
    assert not Personalization(omega=0.9).is_noop


@pytest.mark.parametrize("rule", [Personalization(), CDG()])
def test_a_rule_with_an_uncond_of_its_own_is_never_idle(rule: Any) -> None:
    assert rule.replaces_uncond
    assert idle_warning(rule, ["a cat", "a dog"], 10, corrected=True) is None


@pytest.mark.parametrize("value", [-0.1, 1.1, "half", None])
def test_omega_is_a_share(value: Any) -> None:
    with refuses("omega", "between 0 and 1"):
        Personalization(omega=value)
