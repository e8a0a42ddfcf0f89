"""Rules by name."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from importlib.metadata import EntryPoint
from typing import Any, ClassVar, Literal

import pytest

import semguide
from semguide.errors import SemguideWarning
from semguide.guidance import (
    APG,
    CDG,
    CFG,
    METHODS,
    SEGA,
    BalancedSGT,
    CFGZeroStar,
    CO3Composition,
    Composable,
    PerpNeg,
    Personalization,
    Rule,
    SGTv1,
    SGTv2,
    get_method,
    methods,
)
from semguide.guidance.methods import Registry
from semguide.guidance.parameters import parameter
from support.refusals import refuses


def test_every_rule_has_its_name() -> None:
    ours = {"sgt-balanced": BalancedSGT, "sgt-v1": SGTv1, "sgt-v2": SGTv2, "cfg": CFG}
    others = {
        "composable": Composable,
        "sega": SEGA,
        "perp-neg": PerpNeg,
        "co3-composition": CO3Composition,
        "cdg": CDG,
        "apg": APG,
        "cfg-zero-star": CFGZeroStar,
        "personalization": Personalization,
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


@dataclass(frozen=True)
class Own(CFG):
    """A rule of one's own."""

    strength: float = parameter(1.0, "How much.", low=0.0, high=10.0, off=0.0, strength=True)

    name: ClassVar[str] = "own"
    aliases: ClassVar[tuple[str, ...]] = ("mine",)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(methods, "entry_points", lambda group: [])
    return Registry()


def variant(name: str, fields: dict[str, tuple[Any, Any]] | None = None) -> type[Rule[Any]]:
    """Return a rule with other fields."""
    namespace = {"name": name, "__annotations__": {}}
    given = [(key, hint, default) for key, (hint, default) in (fields or {}).items()]
    return make_dataclass("Variant", given, bases=(CFG,), frozen=True, namespace=namespace)


def test_a_registered_rule_is_found_by_name_and_alias_and_listed_once(registry: Registry) -> None:
    registry.add(Own)
    registry.add(Own)
    assert dict(registry) == {"own": Own}
    assert registry["mine"] is Own
    assert "mine" in registry
    assert "other" not in registry


@pytest.mark.parametrize("name", ["", "Own", "own rule", "own_rule", "own.rule", "own,rule", "-own", "o" * 65])
def test_a_name_that_a_command_cannot_take_is_refused(registry: Registry, name: str) -> None:
    with refuses("name"):
        registry.add(variant(name))


@pytest.mark.parametrize("name", ["own", "mine", "co3", "best-of-clip"])
def test_a_name_that_is_taken_is_refused(registry: Registry, name: str) -> None:
    registry.add(Own)
    with refuses("name", "another one", name):
        registry.add(variant(name))


@pytest.mark.parametrize(
    ("argument", "fields"),
    [
        ("many", {"many": (list[float], ())}),
        ("width", {"width": (float | None, None)}),
        ("Strength", {"Strength": (float, 1.0)}),
        ("number", {"number": (float, parameter(2.0, "A number.", high=1.0))}),
        ("word", {"word": (Literal["one", "two"], "three")}),
        ("strength", {"strength": (float, parameter(0.0, "How much.", strength=True))}),
    ],
)
def test_a_parameter_that_an_interface_cannot_show_is_refused(
    registry: Registry, argument: str, fields: dict[str, tuple[Any, Any]]
) -> None:
    with refuses(argument):
        registry.add(variant("variant", fields))


def test_two_strengths_are_refused(registry: Registry) -> None:
    fields = {key: (float, parameter(1.0, "How much.", strength=True)) for key in ("one", "two")}
    with refuses("strength"):
        registry.add(variant("variant", fields))


def test_a_class_that_is_no_dataclass_is_refused_with_the_remedy(registry: Registry) -> None:
    class Bare(CFG):
        amount: float = 1.0
        name: ClassVar[str] = "bare"

    with refuses("amount") as caught:
        registry.add(Bare)
    assert "@dataclass(frozen=True)" in caught.value.remedy


def test_what_is_no_rule_or_lacks_a_method_is_refused(registry: Registry) -> None:
    class Empty(Rule[None]):
        name: ClassVar[str] = "empty"

    with refuses("rule", "correct"):
        registry.add(Empty)
    with refuses("rule", "must be a class"):
        registry.add(Own())  # type: ignore[arg-type]


def test_the_rules_of_packages_are_loaded_when_the_registry_is_first_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def found(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [EntryPoint("own", f"{__name__}:Own", group)]

    monkeypatch.setattr(methods, "entry_points", found)
    registry = Registry()
    registry.add(CFG)
    assert not asked
    assert list(registry) == ["cfg", "own"]
    assert len(registry) == 2
    assert asked == ["semguide.rules"]


def test_a_broken_package_is_named_in_one_sentence_and_the_others_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [("a", "no_such_module:Rule"), ("b", f"{__name__}:NoRule"), ("c", "json:dumps"), ("d", f"{__name__}:Own")]
    found = [EntryPoint(name, value, "semguide.rules") for name, value in entries]
    monkeypatch.setattr(methods, "entry_points", lambda group: found)
    registry = Registry()
    with pytest.warns(SemguideWarning) as warned:
        assert list(registry) == ["own"]
    assert [str(each.message).split()[2] for each in warned] == ["'a'", "'b'", "'c'"]
    assert all("is left out" in str(each.message) and "\n" not in str(each.message) for each in warned)
