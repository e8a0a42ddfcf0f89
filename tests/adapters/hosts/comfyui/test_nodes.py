"""The nodes, as ComfyUI calls them."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import types
from typing import Any

import pytest
import torch

from semguide import CFG, SGT, SemguideWarning
from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.conditioning import concepts_of
from semguide.adapters.hosts.comfyui.encoding import DecomposePrompt, GatherConcepts
from semguide.adapters.hosts.comfyui.nodes import SemanticGuidanceNode, Trajectory
from support.comfyui import standin
from support.refusals import refuses

PROMPT = "a red book and a yellow vase"


def build(**changed: Any) -> Any:
    """Run the node as ComfyUI does."""
    prompt, concepts, _ = DecomposePrompt().decompose(standin.Clip(), PROMPT)
    inputs = {
        "model": standin.Patcher(),
        "positive": prompt,
        "negative": standin.conditioning(""),
        "concepts": concepts,
        "method": "sgt",
        "cfg": 7.5,
        "strength": 1.0,
    }
    return SemanticGuidanceNode().build(**{**inputs, **changed})[0]


@pytest.mark.parametrize("node", NODE_CLASS_MAPPINGS.values())
def test_a_node_says_what_comfyui_asks_for(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    parameters = inspect.signature(getattr(node, node.FUNCTION)).parameters
    names = [*inputs["required"], *inputs.get("optional", {}), *inputs.get("hidden", {})]
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        assert names == list(parameters)[1:]
        assert all(parameters[name].default is not inspect.Parameter.empty for name in names[len(inputs["required"]) :])
    assert all(given[1]["tooltip"] for kind in ("required", "optional") for given in inputs.get(kind, {}).values())
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)
    assert not hasattr(node, "INPUT_IS_LIST")
    assert not hasattr(node, "OUTPUT_IS_LIST")
    assert node.CATEGORY
    assert node.DESCRIPTION


def test_every_node_has_a_display_name() -> None:
    assert set(NODE_DISPLAY_NAME_MAPPINGS) == set(NODE_CLASS_MAPPINGS)


def test_importing_the_nodes_needs_no_comfyui() -> None:
    code = (
        "import sys; sys.modules['comfy'] = sys.modules['comfy_api'] = None\n"
        "import semguide.adapters.hosts.comfyui as nodes\n"
        "print(*nodes.NODE_CLASS_MAPPINGS)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(NODE_CLASS_MAPPINGS)


def test_a_prompt_becomes_its_conditioning_and_one_for_each_concept() -> None:
    prompt, concepts, texts = DecomposePrompt().decompose(standin.Clip(), PROMPT)
    assert torch.equal(prompt[0][0], standin.conditioning(PROMPT)[0][0])
    assert texts == "a red book\na yellow vase"
    assert [options["semguide_concept"] for _, options in concepts] == ["a red book", "a yellow vase"]
    assert torch.equal(concepts[1][0], standin.conditioning("a yellow vase")[0][0])


def test_a_concept_that_is_encoded_in_several_parts_is_one_concept(
    samplers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del samplers
    parts = lambda _, tokens: standin.conditioning(tokens) + standin.conditioning(f"{tokens}, later")  # noqa: E731
    monkeypatch.setattr(standin.Clip, "encode_from_tokens_scheduled", parts)
    guider = build()
    assert [len(guider.original_conds[key]) for key in ("concept_0", "concept_1")] == [2, 2]


def test_what_comfyui_combines_of_two_text_encodes_is_two_concepts(samplers: Any) -> None:
    del samplers
    combined = standin.conditioning("a red book") + standin.conditioning("a yellow vase")
    guider = build(concepts=combined)
    assert set(guider.original_conds) == {"positive", "negative", "concept_0", "concept_1"}
    assert torch.equal(guider.original_conds["concept_1"][0]["cross_attn"], combined[1][0])


def test_gathered_inputs_are_a_concept_each_and_those_of_decompose_stay(samplers: Any) -> None:
    del samplers
    _, found, _ = DecomposePrompt().decompose(standin.Clip(), PROMPT)
    averaged = standin.conditioning("a cat") + standin.conditioning("a kitten")
    (gathered,) = GatherConcepts().gather(concept_2=averaged, concept_1=found)
    guider = build(concepts=gathered)
    assert [len(guider.original_conds[f"concept_{k}"]) for k in range(3)] == [1, 1, 2]
    assert GatherConcepts().gather() == ([],)


def test_what_comfyui_combines_of_two_gatherings_is_the_concepts_of_both_and_one_encoding_in_two_areas_is_one() -> None:
    cat, dog = standin.conditioning("a cat"), standin.conditioning("a dog")
    both = GatherConcepts().gather(concept_1=cat)[0] + GatherConcepts().gather(concept_1=dog)[0]
    assert len(concepts_of(both)) == 2
    moved = [[embedding, {**options, "area": (3, 3, 0, 0)}] for embedding, options in cat]
    assert [len(found) for found in concepts_of(cat + dog + moved)] == [2, 1]


def test_each_setting_of_a_list_makes_a_guider_of_its_own_as_with_comfyuis_own(samplers: Any) -> None:
    del samplers
    assert [build(cfg=cfg).cfg for cfg in (5.0, 7.5)] == [5.0, 7.5]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"method": "sgt", "settings": ""}, True),
        ({"method": "sgt", "settings": '{"stop": 0.5}'}, True),
        ({"method": None, "settings": None}, True),
        ({}, True),
        ({"method": "sgt", "settings": "{"}, "settings must be a JSON object"),
        ({"method": "sgt", "settings": '{"stop": 7}'}, "stop must"),
        ({"method": "nothing", "settings": ""}, "method must be"),
        ({"method": "nothing"}, "method must be"),
        ({"method": "nothing", "settings": None}, "method must be"),
        ({"method": "sgt-v1", "strength": 1.0, "cfg": 1.0}, "cfg must be > 1"),
        ({"method": "sgt", "strength": 1.0, "cfg": 1.0}, True),
        ({"method": "sgt", "strength": 0.0, "cfg": 1.0}, True),
        ({"method": "sgt", "strength": None, "cfg": 1.0}, True),
        ({"method": "sgt", "strength": -1.0, "cfg": 7.5}, "strength must be"),
    ],
)
def test_a_wrong_setting_is_told_before_comfyui_begins(inputs: Any, told: Any) -> None:
    found = SemanticGuidanceNode.VALIDATE_INPUTS(**inputs)
    assert found is True if told is True else str(found).startswith(told)


def test_a_picture_that_will_be_plain_guidance_is_told_on_the_node(
    samplers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del samplers
    told: list[tuple[str, str]] = []
    instance = types.SimpleNamespace(send_progress_text=lambda text, node: told.append((node, text)))
    server = types.SimpleNamespace(PromptServer=types.SimpleNamespace(instance=instance))
    monkeypatch.setitem(sys.modules, "server", server)
    build(unique_id="3")
    assert told == []
    build(concepts=[], unique_id="3")
    assert told == [("3", "There is no concept: the picture will be one of plain guidance.")]
    noise = standin.noise(1)
    guider = build(concepts=standin.conditioning("a cat"), unique_id="4")  # nothing to balance
    guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    assert [node for node, _ in told] == ["3", "4"]
    guider = build(concepts=[], unique_id="5")
    del told[:]
    guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())  # of a node that ran before
    assert told == [("5", "There is no concept: the picture will be one of plain guidance.")]


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
    guider = build(cfg=5.0, strength=2.0, settings='{"stop": 0.25}', full_trace=True)
    assert isinstance(guider, samplers.CFGGuider)
    assert guider.rule == SGT(5.0, strength=2.0 * SGT().strength, stop=0.25)
    assert guider.cfg == 5.0
    assert guider.full_trace
    assert set(guider.original_conds) == {"positive", "negative", "concept_0", "concept_1"}


def test_the_inputs_have_the_defaults_of_the_rule(samplers: Any) -> None:
    del samplers
    inputs = SemanticGuidanceNode.INPUT_TYPES()["required"]
    assert inputs["method"][1]["default"] == SGT.name
    assert build(cfg=inputs["cfg"][1]["default"], strength=inputs["strength"][1]["default"]).rule == SGT()


def test_no_concepts_are_plain_guidance(samplers: Any) -> None:
    del samplers
    guider = build(concepts=[])
    noise = standin.noise(1)
    guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    assert {rows for _, rows in guider.inner_model.calls} == {2}
    assert build(method="cfg").rule == CFG()


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
