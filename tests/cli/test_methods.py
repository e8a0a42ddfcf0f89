import json
from collections.abc import Callable
from dataclasses import fields

import pytest
from typer.testing import Result

from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.guidance import METHODS

Cli = Callable[..., Result]


def test_every_method_is_listed_with_cost_and_citation(cli: Cli):
    listed = {entry["name"]: entry for entry in json.loads(cli("methods", "--json").stdout)}
    assert list(listed) == [*METHODS, *SAMPLING_METHODS]
    assert listed["cfg"]["evaluations"] == {"steps": 25, "concepts": 2, "per_image": 50}
    assert listed["sgt-v1"]["evaluations"]["per_image"] == 100
    assert all(entry["citation"].startswith("@") and entry["summary"] for entry in listed.values())


@pytest.mark.parametrize("name", METHODS)
def test_every_parameter_has_its_default_and_its_meaning(cli: Cli, name: str):
    listed = {entry["name"]: entry for entry in json.loads(cli("methods", "--json").stdout)}
    for parameter in listed[name]["parameters"]:
        assert parameter["default"] == getattr(METHODS[name](), parameter["name"])
        assert parameter["meaning"], parameter["name"]


def test_a_citation_is_not_wrapped(cli: Cli):
    shown = cli("methods").stdout
    assert all(line in shown for rule in METHODS.values() for line in rule.citation().splitlines())


def test_the_table_names_every_method_and_parameter(cli: Cli):
    shown = cli("methods").stdout
    for name, rule in METHODS.items():
        assert name in shown
        assert all(field.name in shown for field in fields(rule) if field.name != "guidance_scale")


def test_an_alias_stands_beside_the_name_that_it_stands_for(cli: Cli):
    assert "sgt-balanced (alias: sgt)" in cli("methods").stdout
    listed = {entry["name"]: entry["aliases"] for entry in json.loads(cli("methods", "--json").stdout)}
    assert listed["sgt-balanced"] == ["sgt"]
    assert listed["cfg"] == []
