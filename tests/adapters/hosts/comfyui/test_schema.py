"""The nodes in the V3 schema, with a stand-in of it."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import types
from typing import Any

import pytest
import torch

from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.install import PACK
from semguide.adapters.hosts.comfyui.schema import GROWING, latest_api
from support.comfyui import standin, v3


def load_pack() -> Any:
    """Import the pack anew, as ComfyUI does."""
    spec = importlib.util.spec_from_file_location("semguide_pack", PACK / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the V3 classes by their ids."""
    api = v3.install(monkeypatch)
    pack = load_pack()
    assert pack.NODE_CLASS_MAPPINGS is None, "ComfyUI asks the entry point only where there are no mappings"
    made = asyncio.run(pack.comfy_entrypoint())
    assert isinstance(made, api.ComfyExtension)
    return {node.define_schema().node_id: node for node in asyncio.run(made.get_node_list())}


def test_there_is_a_v3_class_of_every_node_and_one_that_grows(nodes: dict[str, Any]) -> None:
    assert set(nodes) == {*NODE_CLASS_MAPPINGS, GROWING}
    assert all(issubclass(node, v3.ComfyNode) for node in nodes.values())


@pytest.mark.parametrize("name", NODE_CLASS_MAPPINGS)
def test_a_v3_class_says_what_the_v1_class_says(nodes: dict[str, Any], name: str) -> None:
    schema, node = nodes[name].define_schema(), NODE_CLASS_MAPPINGS[name]
    declared = node.INPUT_TYPES()
    optional = declared.get("optional", {})
    expected = {**declared["required"], **optional}
    assert [given.id for given in schema.inputs] == list(expected)
    for given in schema.inputs:
        kind, options = expected[given.id][0], expected[given.id][1]
        assert given.kind == ("COMBO" if isinstance(kind, list) else kind)
        assert given.optional == (given.id in optional)
        assert {**given.told, "options": None} == {
            **{("dynamic_prompts" if key == "dynamicPrompts" else key): value for key, value in options.items()},
            "options": None,
        }
        assert not isinstance(kind, list) or given.told["options"] == kind
    assert [(out.kind, out.display_name, out.tooltip) for out in schema.outputs] == list(
        zip(node.RETURN_TYPES, node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True)
    )
    assert (schema.category, schema.description) == (node.CATEGORY, node.DESCRIPTION)
    assert schema.display_name == NODE_DISPLAY_NAME_MAPPINGS[name]
    assert schema.hidden == (["UNIQUE_ID"] if "hidden" in declared else [])


def test_a_v3_class_runs_and_knows_its_place_in_the_interface(nodes: dict[str, Any], samplers: Any) -> None:
    prompt, concepts, texts = (
        nodes["SemguideDecompose"].execute(clip=standin.Clip(), text="a red book and a cat").result
    )
    assert texts == "a red book\na cat"
    node = nodes["SemguideGuider"]
    node.hidden = types.SimpleNamespace(unique_id="7")
    given = {"positive": prompt, "negative": standin.conditioning(""), "concepts": concepts}
    (guider,) = node.execute(model=standin.Patcher(), **given, method="sgt", cfg=7.5, strength=1.0).result
    assert isinstance(guider, samplers.CFGGuider)
    assert (guider.node, len(guider.original_conds)) == ("7", 4)


def test_the_check_of_a_v3_class_names_the_inputs_that_it_looks_at(nodes: dict[str, Any]) -> None:
    check = nodes["SemguideGuider"].validate_inputs
    assert inspect.getfullargspec(check).args == ["cls", "method", "settings", "strength", "cfg"]
    assert check(method="sgt", settings="") is True
    assert str(check(method="sgt-v1", settings="", strength=1.0, cfg=1.0)).startswith("cfg must be > 1")
    assert "JSON object" in str(check(method="sgt", settings="{"))
    check = nodes["SemguideParametersSgtV2"].validate_inputs
    assert inspect.getfullargspec(check).varkw == "values"
    assert check(subject_threshold=0.5) is True
    assert "subject_threshold must" in str(check(subject_threshold=2.0))
    assert not hasattr(nodes["SemguideDecompose"], "validate_inputs")


def test_the_node_that_grows_takes_concepts_in_the_order_of_their_numbers(nodes: dict[str, Any]) -> None:
    (grown,) = nodes[GROWING].define_schema().inputs
    names = grown.told["template"].names
    assert names[:2] == ["concept_1", "concept_2"]
    given = {name: standin.conditioning(name) for name in (names[9], names[1], names[0])}
    (found,) = nodes[GROWING].execute(concepts={**given, names[3]: None}).result
    assert [options["semguide_concept"] for _, options in found] == ["concept 1", "concept 2", "concept 10"]
    assert torch.equal(found[2][0], standin.conditioning("concept_10")[0][0])
    assert nodes[GROWING].execute().result == ([],)


def test_where_the_schema_is_missing_or_does_not_grow_the_pack_has_the_v1_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert latest_api() is None, "there is no ComfyUI"
    assert load_pack().NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS
    older = v3.io()
    del older.Autogrow  # as in 0.3.64
    v3.install(monkeypatch, io=older)
    pack = load_pack()
    assert pack.NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS
    assert pack.NODE_DISPLAY_NAME_MAPPINGS is NODE_DISPLAY_NAME_MAPPINGS
