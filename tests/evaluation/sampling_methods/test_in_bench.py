"""The whole folder: what samples images otherwise, beside the rules in `semguide bench`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from semguide.evaluation.bench.table import read_table
from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from support.plain_sampling_method import PlainMaker

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SAMPLING_METHODS, "plain", PlainMaker)


@pytest.fixture
def bench(cli: Cli, tiny: Path, tmp_path: Path) -> Cli:
    """Call `semguide bench` without a judge on one prompt; 2 steps."""
    prompts = tmp_path / "one.txt"
    prompts.write_text("a cat and a dog\n")

    def call(methods: str, *more: object) -> Result:
        fixed = ("--model", tiny, "--judge", "none", "--split", "all", "--seeds", 1, "--steps", 2, "--keep-images")
        return cli("bench", "--suite", prompts, *fixed, "--methods", methods, "--out", tmp_path / "out", *more)

    return call


def rows(out: Path) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in read_table(out / "results.parquet")}


def picture(out: Path, row: dict[str, Any]) -> np.ndarray:
    return np.asarray(Image.open(out / row["image"]).convert("RGB"))


def test_a_maker_makes_rows_beside_a_rule(bench: Cli, tmp_path: Path):
    result = bench("cfg,plain", "--set", "plain.label=mine")
    assert result.exit_code == 0, result.stderr
    out = tmp_path / "out"
    found = rows(out)
    assert list(found) == ["cfg", "plain"]
    plain = found["plain"]
    assert plain["evaluations"] == found["cfg"]["evaluations"] == 4
    assert plain["guidance_scale"] == 7.5
    assert json.loads(plain["parameters"]) == {"label": "mine", "quarters": 1}
    assert json.loads(plain["details"]) == {"label": "mine", "concepts": ["a cat", "a dog"]}
    assert found["cfg"]["details"] is None
    assert {plain[key] for key in ("mean_similarity", "similarity", "gate", "weight", "abstract")} == {None}
    assert np.array_equal(picture(out, plain), np.rot90(picture(out, found["cfg"])))
    assert "plain-cfg" in json.loads((out / "summary.json").read_text())["paired"]


def test_a_maker_s_parameters_decide_its_images_and_the_same_ones_are_not_made_again(bench: Cli, tmp_path: Path):
    assert bench("plain").exit_code == 0
    assert "1 images (1 of them" in bench("plain", "--set", "plain.quarters=1").stdout
    other = bench("plain", "--set", "plain.quarters=2")
    assert "1 images (0 of them" in other.stdout
    table = read_table(tmp_path / "out" / "results.parquet")
    assert len({row["id"] for row in table}) == len({row["parameters_hash"] for row in table}) == 2


def test_a_method_may_have_a_guidance_scale_of_its_own(bench: Cli, tmp_path: Path):
    settings = ("--set", "sgt.guidance_scale=10", "--set", "plain.guidance_scale=4")
    result = bench("cfg,sgt,plain", *settings, "--guidance-scale", 4)
    assert result.exit_code == 0, result.stderr
    out = tmp_path / "out"
    found = rows(out)
    assert {name: row["guidance_scale"] for name, row in found.items()} == {"cfg": 4.0, "sgt": 10.0, "plain": 4.0}
    assert json.loads(found["sgt"]["parameters"])["guidance_scale"] == 10.0
    assert "guidance_scale" not in json.loads(found["plain"]["parameters"]), "the scale of the bench is no override"
    again = bench("cfg", "--set", "cfg.guidance_scale=10", "--guidance-scale", 4)
    assert "1 images (0 of them" in again.stdout
    one, other = (picture(out, row) for row in read_table(out / "results.parquet") if row["method"] == "cfg")
    assert not np.array_equal(one, other)


def test_a_scale_of_its_own_makes_the_image_that_the_scale_of_the_bench_would(bench: Cli, tmp_path: Path):
    assert bench("cfg", "--set", "cfg.guidance_scale=10").exit_code == 0
    own = picture(tmp_path / "out", rows(tmp_path / "out")["cfg"])
    assert bench("cfg", "--guidance-scale", 10, "--out", tmp_path / "other").exit_code == 0
    assert np.array_equal(own, picture(tmp_path / "other", rows(tmp_path / "other")["cfg"]))


@pytest.mark.parametrize(
    ("methods", "setting", "named"),
    [
        ("plane", "", "did you mean 'plain'"),
        ("plain", "plain.quarters=-1", "quarters must be a whole number"),
        ("plain", "plain.quarters=lots", "quarters must be a whole number"),
        ("plain", "plain.quarter=1", "did you mean 'quarters'"),
        ("plain", "plain.label=other", "plain does not do StableDiffusionPipeline"),
        ("plain", "plain.guidance_scale=0.5", "--guidance-scale"),
        ("cfg", "cfg.guidance_scale=true", "--set must be a number for cfg.guidance_scale"),
        ("cfg", "plain.quarters=1", "--set must be of a method of the run"),
    ],
)
def test_what_a_maker_refuses_is_refused_before_any_work(
    bench: Cli, tmp_path: Path, methods: str, setting: str, named: str
):
    result = bench(methods, *(("--set", setting) if setting else ()))
    assert (result.exit_code, named in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "out").exists()


def test_methods_lists_makers_as_what_only_a_benchmark_has(cli: Cli):
    listed = {entry["name"]: entry for entry in json.loads(cli("methods", "--json").stdout)}
    assert (listed["plain"]["kind"], listed["cfg"]["kind"]) == ("benchmark", "rule")
    assert listed["plain"]["evaluations"] == {"steps": 25, "concepts": 2, "per_image": 50}
    quarters = listed["plain"]["parameters"][0]
    assert {key: quarters[key] for key in ("name", "type", "default", "minimum", "meaning")} == {
        "name": "quarters",
        "type": "integer",
        "default": 1,
        "minimum": 0,
        "meaning": "How many quarters the picture is turned by.",
    }
    assert "plain  (benchmark method, for semguide bench only)" in cli("methods").stdout


def test_generate_takes_no_maker(cli: Cli, tiny: Path):
    result = cli("generate", "a cat", "--model", tiny, "--method", "plain")
    assert (result.exit_code, "--method must be one of" in result.stderr) == (2, True)
