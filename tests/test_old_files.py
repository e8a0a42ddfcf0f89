"""Files that 0.1.0 wrote, kept in tests/data/0.1.0 as its own code made them, open with today's."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from diffusers import ModularPipeline

from semguide import BalancedSGT, SemanticGuidance
from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS
from semguide.adapters.hosts.rules import build_rule
from semguide.evaluation.bench.folder import SUMMARY, TABLE, BenchFolder
from semguide.evaluation.bench.plan import Bench
from semguide.evaluation.bench.request import BenchRequest, plan_bench
from semguide.evaluation.bench.results import write_results
from semguide.evaluation.bench.scorer_folders import ScorerRequest
from semguide.evaluation.bench.table import read_table
from semguide.files import write_json
from semguide.models import resolve
from semguide.runs.environment import current_environment
from semguide.runs.records import read_record
from semguide.runs.repeat import plan_repeat, read_recorded_run
from support.command import Cli, cli
from support.refusals import refuses

OLD = Path(__file__).parent / "data" / "0.1.0"
GRAPHS = sorted(path.name for path in (OLD / "comfyui" / "api_workflows").glob("*.json"))
RULE = BalancedSGT(guidance_scale=5.0, strength=1.5)

__all__ = ["cli"]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def versions_are_those_of(environment: Any) -> bool:
    """Whether pixels may be compared: the same torch, diffusers, transformers and processor as recorded."""
    path = resolve("emoji-unet").path
    assert path is not None
    here = current_environment(path)
    packages = ("torch", "diffusers", "transformers")
    return here.processor == environment["processor"] and all(
        here.versions[name] == environment["versions"][name] for name in packages
    )


@pytest.mark.parametrize(
    ("folder", "seeds", "rules"),
    [
        ("run", (3,), {"cfg": {}, "sgt": {"strength": 2.0, "sharpness": 1.0, "start": 0.0, "stop": 0.4}}),
        ("best", (4,), {"sgt": {"strength": 1.5, "sharpness": 1.0, "start": 0.0, "stop": 0.4}}),
    ],
)
def test_a_run_is_planned_as_it_was(folder: str, seeds: tuple[int, ...], rules: dict[str, Any]):
    recorded = read_recorded_run(OLD / folder / "run.json")
    planned = plan_repeat(recorded, None, None, None)
    run = planned.run
    assert run.digest == recorded.description["digest"], "the run is the same value"
    assert (run.seeds, run.model, run.sampling.guidance_scale) == (seeds, "emoji-unet", 7.0)
    assert {method.name: method.parameters for method in run.methods} == rules
    assert planned.rules["sgt"] == BalancedSGT(guidance_scale=7.0, **rules["sgt"])
    assert [concept.text for concept in run.concepts] == ["a red heart", "a blue star"]


def test_a_run_is_repeated_to_the_same_pixels(cli: Cli, tmp_path: Path):
    result = cli("generate", "--from", OLD / "run" / "run.json", "--out", tmp_path / "again")
    assert (tmp_path / "again" / "images" / "sgt-3.png").exists(), result.stderr
    if not versions_are_those_of(read(OLD / "run" / "run.json")["environment"]):
        pytest.skip("pixels are compared with the versions and on the kind of processor that made them")
    assert result.exit_code == 0, result.stderr
    assert "2 of 2 images compared with the record: all equal, bit for bit" in result.stdout


@pytest.mark.parametrize("path", sorted(OLD.glob("*/images/*.png")), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_picture_still_tells_how_it_was_made(path: Path):
    record = read_record(path)
    assert record is not None
    entry = next(each for each in read(path.parents[1] / "run.json")["images"] if each["file"].endswith(path.name))
    assert (record["pixels"], record["key"]) == (entry["pixels"], entry["key"])
    assert record["parameters"]["method"]["name"] == entry["method"]


def old_bench(out: Path) -> Bench:
    """Return the bench of the folder as today's command plans it, with the versions that are recorded there."""
    request = BenchRequest(
        suite=str(OLD / "suite.txt"),
        methods="cfg,sgt",
        model="emoji-unet",
        seeds=1,
        split="all",
        num_inference_steps=4,
        device="cpu",
        keep_images=True,
        scorers=ScorerRequest("none", None, None),
    )
    bench = plan_bench(request).bench
    recorded = read(out / "bench.json")["settled"]
    return replace(bench, identity={**bench.identity, "versions": recorded["versions"]})


@pytest.fixture
def bench_folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD / "bench", tmp_path / "bench"))


def test_a_bench_goes_on_where_it_ended(bench_folder: Path):
    folder = BenchFolder(bench_folder, old_bench(bench_folder))
    folder.scan()
    assert folder.missing(folder.bench.tasks()) == [], "every image is found by its id, that of the alias sgt too"
    assert [row["method"] for row in folder.selected_rows()] == ["cfg", "sgt", "cfg", "sgt"]
    more = replace(folder.bench, seeds=(0, 1))
    assert {task.seed for task in BenchFolder(bench_folder, more, folder.rows).missing(more.tasks())} == {1}


def test_a_bench_is_summed_up_as_it_was(bench_folder: Path):
    before, rows = read(bench_folder / SUMMARY), read_table(bench_folder / TABLE)
    folder = BenchFolder(bench_folder, old_bench(bench_folder))
    folder.scan()
    summary = write_results(folder)
    assert summary == before
    assert len(rows) == len(read_table(bench_folder / TABLE)) == 4


def test_a_bench_of_other_versions_is_not_mixed_with_todays(bench_folder: Path):
    described = read(bench_folder / "bench.json")
    described["settled"]["versions"]["torch"] = "1.0"
    write_json(bench_folder / "bench.json", described)
    with refuses("out", "must be the folder of a bench with the same settings (it differs in versions)"):
        BenchFolder(bench_folder, old_bench(OLD / "bench")).scan()


@pytest.mark.filterwarnings("ignore:semguide.adapters.comfyui is now:DeprecationWarning")
def test_a_node_pack_copied_by_0_1_0_has_todays_nodes():
    spec = importlib.util.spec_from_file_location("old_pack", OLD / "comfyui" / "pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS


def declared(name: str) -> dict[str, tuple[Any, ...]]:
    """Return the inputs of a node in their order."""
    inputs: Any = NODE_CLASS_MAPPINGS[name].INPUT_TYPES()  # type: ignore[attr-defined]
    return {**inputs["required"], **inputs.get("optional", {})}


def check_value(how: tuple[Any, ...], value: Any) -> None:
    """Check a value of a widget as ComfyUI does."""
    kind, options = how[0], how[1] if len(how) > 1 else {}
    if isinstance(kind, list):
        assert value in kind
    elif kind == "FLOAT":
        assert options["min"] <= value <= options["max"]
    else:
        assert isinstance(value, {"STRING": str, "BOOLEAN": bool}[kind])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_prompt_of_the_api_suits_the_nodes(name: str):
    graph = read(OLD / "comfyui" / "api_workflows" / name)
    ours = [entry for entry in graph.values() if entry["class_type"].startswith("Semguide")]
    assert {entry["class_type"] for entry in ours} <= set(NODE_CLASS_MAPPINGS)
    for entry in ours:
        known = declared(entry["class_type"])
        required: Any = NODE_CLASS_MAPPINGS[entry["class_type"]].INPUT_TYPES()["required"]  # type: ignore[attr-defined]
        assert set(required) <= set(entry["inputs"]) <= set(known), "new inputs have defaults"
        for key, value in entry["inputs"].items():
            if isinstance(value, list):
                source, slot = graph[value[0]]["class_type"], value[1]
                types = getattr(NODE_CLASS_MAPPINGS.get(source), "RETURN_TYPES", None)
                assert types is None or types[slot] == known[key][0]
            else:
                check_value(known[key], value)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_saved_workflow_fills_the_widgets_in_their_order(name: str):
    nodes = read(OLD / "comfyui" / "example_workflows" / name)["nodes"]
    for node in (node for node in nodes if node["type"].startswith("Semguide")):
        known, linked = declared(node["type"]), [entry["name"] for entry in node["inputs"]]
        assert all(known[entry["name"]][0] == entry["type"] for entry in node["inputs"])
        kind: Any = NODE_CLASS_MAPPINGS[node["type"]]
        assert [(output["name"], output["type"]) for output in node["outputs"]] == list(
            zip(kind.RETURN_NAMES, kind.RETURN_TYPES, strict=True)
        )
        widgets = [key for key in known if key not in linked]
        for key, value in zip(widgets, node["widgets_values"], strict=False):
            check_value(known[key], value)
        assert all("default" in known[key][1] for key in widgets[len(node["widgets_values"]) :])
        if node["type"] == "SemguideGuider":
            method, cfg, strength, settings, _ = node["widgets_values"]
            assert build_rule(method, cfg, strength, settings) == BalancedSGT(guidance_scale=7.5)


def test_a_saved_guider_has_the_same_rule():
    guider = SemanticGuidance.from_pretrained(str(OLD / "guider"))
    assert guider.rule == replace(RULE, stop=0.5)
    assert (guider.guidance_rescale, guider.config["start"]) == (0.2, 0.1)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_saved_modular_pipeline_finds_its_guider(tmp_path: Path):
    shutil.copytree(OLD / "pipeline", tmp_path / "pipeline")
    index = tmp_path / "pipeline" / "modular_model_index.json"
    index.write_text(index.read_text().replace("PIPELINE", str(tmp_path / "pipeline")))
    pipe: Any = ModularPipeline.from_pretrained(str(tmp_path / "pipeline"))
    pipe.load_components(names=["guider"])
    assert isinstance(pipe.guider, SemanticGuidance)
    assert pipe.guider.rule == RULE
