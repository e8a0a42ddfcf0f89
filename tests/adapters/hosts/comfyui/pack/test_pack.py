"""The whole folder: the metadata of the pack and its workflows."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.help_pages import DOCS, help_page
from semguide.adapters.hosts.comfyui.install import PACK
from semguide.adapters.hosts.comfyui.schema import GROWING

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")


OUTPUTS = {
    "BasicScheduler": ["SIGMAS"],
    "CFGGuider": ["GUIDER"],
    "CLIPTextEncode": ["CONDITIONING"],
    "CheckpointLoaderSimple": ["MODEL", "CLIP", "VAE"],
    "EmptyLatentImage": ["LATENT"],
    "KSampler": ["LATENT"],
    "KSamplerSelect": ["SAMPLER"],
    "PreviewImage": [],
    "RandomNoise": ["NOISE"],
    "SamplerCustomAdvanced": ["LATENT", "LATENT"],
    "SaveImage": [],
    "VAEDecode": ["IMAGE"],
    **{name: list(node.RETURN_TYPES) for name, node in NODE_CLASS_MAPPINGS.items()},  # type: ignore[attr-defined]
}
"""The output types of our nodes, and of those of ComfyUI that the workflows use."""

ROOT = Path(__file__).parents[5]
GUIDED = {"SemguideGuider", "SemguideDecompose", "SemguideTrajectory"}
SHOWN = {
    "semantic_guidance_sd15": GUIDED,
    "semantic_guidance_sdxl": GUIDED,
    "semantic_guidance_retries_sd15": {*GUIDED, "SemguideRetries"},
    "semantic_guidance_ksampler_sd15": {"SemguideModel", "SemguideDecompose"},
}
"""Our nodes in each template; the others are for other encoders and single parameters."""
GRAPHS = sorted((PACK / "api_workflows").glob("*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_metadata_are_those_of_the_registry_and_of_this_version() -> None:
    metadata = tomllib.loads((PACK / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["name"] == "semguide"
    assert metadata["project"]["version"] == version("semguide")
    assert metadata["project"]["dependencies"] == (PACK / "requirements.txt").read_text(encoding="utf-8").split()
    assert set(metadata["tool"]["comfy"]) == {"PublisherId", "DisplayName", "Icon"}
    assert metadata["project"]["license"] == {"file": "LICENSE"}
    assert (PACK / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert set(metadata["project"]["urls"]) == {"Homepage", "Repository", "Documentation", "Issues"}


def test_every_node_has_a_help_page_and_it_says_what_the_node_says() -> None:
    assert sorted(path.stem for path in DOCS.glob("*")) == sorted([*NODE_CLASS_MAPPINGS, GROWING])
    for name in [*NODE_CLASS_MAPPINGS, GROWING]:
        told = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        assert told == help_page(name), "python -m semguide.adapters.hosts.comfyui.help_pages writes them"


@pytest.mark.parametrize("name", NODE_CLASS_MAPPINGS)
def test_a_help_page_names_every_input_and_output(name: str) -> None:
    node, told = NODE_CLASS_MAPPINGS[name], help_page(name)
    declared = node.INPUT_TYPES()
    assert told.startswith(f"# {NODE_DISPLAY_NAME_MAPPINGS[name]}\n\n{node.DESCRIPTION}\n")
    for given in (*declared["required"], *declared.get("optional", {}), *node.RETURN_NAMES):
        assert f"| `{given}` |" in told


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_the_inputs_of_a_workflow_are_those_of_the_nodes(path: Path) -> None:
    graph = read(path)
    ours = {entry["class_type"] for entry in graph.values()} & set(NODE_CLASS_MAPPINGS)
    assert ours == SHOWN[path.stem]
    for entry in graph.values():
        assert entry["class_type"] in OUTPUTS
        if entry["class_type"] in NODE_CLASS_MAPPINGS:
            declared: Any = NODE_CLASS_MAPPINGS[entry["class_type"]].INPUT_TYPES()  # type: ignore[attr-defined]
            known = {**declared["required"], **declared.get("optional", {})}
            assert set(declared["required"]) <= set(entry["inputs"]) <= set(known)
            for name, value in entry["inputs"].items():
                check_input(graph, known[name], value)


def check_input(graph: Any, declared: tuple[Any, ...], value: Any) -> None:
    """Check one input as ComfyUI does: links by type, choices, kinds and ranges of values."""
    kind, options = declared[0], declared[1] if len(declared) > 1 else {}
    if isinstance(value, list):
        node, slot = value
        assert OUTPUTS[graph[node]["class_type"]][slot] == kind
    elif isinstance(kind, list):
        assert value in kind
    else:
        assert isinstance(value, {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}[kind])
        if kind in ("INT", "FLOAT"):
            assert options["min"] <= value <= options["max"]


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_the_template_is_the_same_graph(path: Path) -> None:
    graph, shown = read(path), read(PACK / "example_workflows" / path.name)
    links = {link[0]: link for link in shown["links"]}
    assert {str(node["id"]): node["type"] for node in shown["nodes"]} == {k: v["class_type"] for k, v in graph.items()}
    for node in shown["nodes"]:
        linked = {entry["name"]: links[entry["link"]] for entry in node["inputs"]}
        inputs = graph[str(node["id"])]["inputs"]
        assert {name: [str(link[1]), link[2]] for name, link in linked.items()} == {
            name: value for name, value in inputs.items() if isinstance(value, list)
        }
        written = [value for value in node["widgets_values"] if value != "fixed"]  # not an input: what follows a seed
        assert written == [value for value in inputs.values() if not isinstance(value, list)]
        for number, origin, slot, target, place, kind in (links[entry["link"]] for entry in node["inputs"]):
            assert OUTPUTS[graph[str(origin)]["class_type"]][slot] == kind
            assert (target, node["inputs"][place]["link"]) == (node["id"], number)
