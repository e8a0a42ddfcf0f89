"""Rules by name."""

from __future__ import annotations

import pytest

import semguide
from semguide.guidance import (
    CDG,
    CFG,
    METHODS,
    SEGA,
    BalancedSGT,
    CO3Composition,
    Composable,
    PerpNeg,
    SGTv1,
    SGTv2,
    get_method,
)
from support.refusals import refuses


def test_every_rule_has_its_name() -> None:
    ours = {"sgt-balanced": BalancedSGT, "sgt-v1": SGTv1, "sgt-v2": SGTv2, "cfg": CFG}
    others = {
        "composable": Composable,
        "sega": SEGA,
        "perp-neg": PerpNeg,
        "co3-composition": CO3Composition,
        "cdg": CDG,
    }
    assert dict(METHODS) == {**ours, **others}
    assert get_method("sgt-v2") is SGTv2


def test_unknown_method_lists_the_valid_ones() -> None:
    with refuses("method", "must be one of sgt-balanced, sgt-v1, sgt-v2, cfg"):
        get_method("magic")


def test_package_exports_every_promised_name() -> None:
    assert {name: hasattr(semguide, name) for name in semguide.__all__} == dict.fromkeys(semguide.__all__, True)
    assert set(semguide.__all__) <= set(dir(semguide))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = semguide.nothing  # type: ignore[attr-defined]


def test_defaults_are_the_authors_values() -> None:
    assert SGTv1() == SGTv1(7.5, 7.5, "auto", 0.7, 0.8, 0, 50)
    assert SGTv2() == SGTv2(7.5, 8.5, 0.5, 0.5, 0.9, 0.5, 0.5, 5, 50, 5)
    assert SEGA() == SEGA(7.5, 5.0, 0.9, 10, 0.1, 0.4)
    assert CO3Composition() == CO3Composition(7.5, 1.0, 0.8, 0.0, 0.2)


def test_the_default_is_the_projects_own_rule_and_the_short_names_stand_for_it() -> None:
    assert semguide.SGT is semguide.BalancedSGT is get_method("sgt") is get_method("sgt-balanced")
    assert BalancedSGT.name == "sgt-balanced"
    assert "sgt" not in list(METHODS)


def test_the_default_cites_the_paper_that_it_follows_and_the_software() -> None:
    entries = BalancedSGT.citation()
    assert entries.startswith("@article{kang2023semantic")
    assert "@software{semguide," in entries
    assert "@software" not in SGTv1.citation() + SGTv2.citation()
