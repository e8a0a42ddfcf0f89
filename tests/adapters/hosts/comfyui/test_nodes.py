"""The nodes, as ComfyUI calls them."""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SemguideWarning
from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.nodes import DecomposePrompt, SemanticGuidanceNode, Trajectory
from support.comfyui import standin
from support.refusals import refuses

PROMPT = "a red book and a yellow vase"


def build(**changed: Any) -> Any:
    """Run the node as ComfyUI does with INPUT_IS_LIST: every input is a list."""
    prompt, concepts, _ = DecomposePrompt().decompose(standin.Clip(), PROMPT)
    inputs = {
        "model": [standin.Patcher()],
        "positive": [prompt],
        "negative": [standin.conditioning("")],
        "concepts": concepts,
        "method": ["sgt"],
        "cfg": [7.5],
        "strength": [1.0],
    }
    return SemanticGuidanceNode().build(**{**inputs, **changed})[0]


@pytest.mark.parametrize("node", NODE_CLASS_MAPPINGS.values())
def test_a_node_says_what_comfyui_asks_for(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    parameters = inspect.signature(getattr(node, node.FUNCTION)).parameters
    assert [*inputs["required"], *inputs.get("optional", {})] == list(parameters)[1:]
    assert all(parameters[name].default is not inspect.Parameter.empty for name in inputs.get("optional", {}))
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
    assert node.CATEGORY
    assert node.DESCRIPTION


def test_every_node_has_a_display_name() -> None:
    assert set(NODE_DISPLAY_NAME_MAPPINGS) == set(NODE_CLASS_MAPPINGS)


def test_importing_the_nodes_needs_no_comfyui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "comfy", None)  # importing it is now an error
    spec = importlib.util.find_spec("semguide.adapters.hosts.comfyui.nodes")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert set(module.NODE_CLASS_MAPPINGS) == set(NODE_CLASS_MAPPINGS)


def test_a_prompt_becomes_its_conditioning_and_one_for_each_concept() -> None:
    prompt, concepts, texts = DecomposePrompt().decompose(standin.Clip(), PROMPT)
    assert torch.equal(prompt[0][0], standin.conditioning(PROMPT)[0][0])
    assert texts == "a red book\na yellow vase"
    assert [concept[0][1]["semguide_concept"] for concept in concepts] == ["a red book", "a yellow vase"]
    assert torch.equal(concepts[1][0][0], standin.conditioning("a yellow vase")[0][0])


def test_own_concepts_replace_those_of_the_prompt_and_none_are_an_empty_list() -> None:
    _, concepts, texts = DecomposePrompt().decompose(standin.Clip(), PROMPT, "a blue book")
    assert (len(concepts), texts) == (1, "a blue book")
    assert DecomposePrompt().decompose(standin.Clip(), "")[1:] == ([], "")


def test_no_more_concepts_of_the_prompt_are_kept_than_the_node_says() -> None:
    with pytest.warns(SemguideWarning, match=r"1 of 2 concepts .* \(more than 1\)"):
        assert DecomposePrompt().decompose(standin.Clip(), PROMPT, max_concepts=1)[2] == "a red book"
    assert DecomposePrompt().decompose(standin.Clip(), PROMPT, "a\nb", max_concepts=1)[2] == "a\nb"
    with pytest.warns(SemguideWarning, match="English only; name the concepts, or use the llm back end"):
        assert DecomposePrompt().decompose(standin.Clip(), "ein roter Hund auf dem Tisch")[2] == ""


def test_a_checkpoint_without_a_text_encoder_is_refused() -> None:
    with refuses("clip", "must be a text encoder"):
        DecomposePrompt().decompose(None, PROMPT)


def test_the_guider_has_the_rule_the_scale_and_the_concepts(samplers: Any) -> None:
    guider = build(cfg=[5.0], strength=[2.0], settings=['{"stop": 0.25}'], full_trace=[True])
    assert isinstance(guider, samplers.CFGGuider)
    assert guider.rule == SGT(5.0, strength=2.0 * SGT().strength, stop=0.25)
    assert guider.cfg == 5.0
    assert guider.full_trace
    assert set(guider.original_conds) == {"positive", "negative", "concept_0", "concept_1"}


def test_the_inputs_have_the_defaults_of_the_rule(samplers: Any) -> None:
    del samplers
    inputs = SemanticGuidanceNode.INPUT_TYPES()["required"]
    assert inputs["method"][1]["default"] == SGT.name
    assert build(cfg=[inputs["cfg"][1]["default"]], strength=[inputs["strength"][1]["default"]]).rule == SGT()


def test_no_concepts_are_plain_guidance(samplers: Any) -> None:
    del samplers
    guider = build(concepts=[])
    noise = standin.noise(1)
    guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    assert {rows for _, rows in guider.inner_model.calls} == {2}
    assert build(method=["cfg"]).rule == CFG()


def test_a_list_of_prompts_is_refused(samplers: Any) -> None:
    del samplers
    with refuses("positive", "must be one value"):
        build(positive=[standin.conditioning("a"), standin.conditioning("b")])


def test_the_trajectory_is_a_picture_and_the_trace_as_json(samplers: Any) -> None:
    del samplers
    guider = build()
    noise = standin.noise(1)
    latent = guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    picture, trace = Trajectory().draw(guider, {"samples": latent})
    assert picture.shape[0] == 1
    assert picture.shape[3] == 3
    assert picture.dtype == torch.float32
    assert 0 <= float(picture.min()) < float(picture.max()) <= 1
    assert json.loads(trace)["images"][0]["concepts"] == ["a red book", "a yellow vase"]


def test_the_trajectory_of_another_guider_is_refused(samplers: Any) -> None:
    with refuses("guider", "must come from the node Semantic Guidance"):
        Trajectory().draw(samplers.CFGGuider(standin.Patcher()), {})
