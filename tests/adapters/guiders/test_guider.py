"""The guider itself: its config, its switches, what hosts read of it, caches and refusals."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import ClassifierFreeGuidance, FirstBlockCacheConfig, ModularPipeline, StableDiffusion3AutoBlocks
from diffusers.modular_pipelines import BlockState

from adapters.guiders.test_every_pipeline import EAGER, REMEMBERING
from semguide import (
    CFG,
    SGT,
    GuidanceNotApplied,
    NotFinite,
    SemanticConceptsStep,
    SemanticGuidance,
    SemguideWarning,
    SGTv1,
    UnsupportedPipeline,
    steer,
    with_semantic_guidance,
)
from semguide.adapters.guiders.encoded_concepts import EncodedConcepts
from semguide.adapters.guiders.session import GuiderSession
from semguide.adapters.hosts.rules import hosted
from semguide.guidance import METHODS, BalancedSGT
from semguide.types import Concept
from support.guiders.by_hand import expected
from support.guiders.run import SCALE, call, doubled, made, plain_guider, recorded
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, noise

NEGATIVE = {"negative_prompt": "blurry"}


def held(guider: SemanticGuidance, step: int = 0, count: int = 4, most: int = 2) -> list[Any]:
    """Return the batches of a step for one image."""
    fields = [{"prompt_embeds": torch.full((1, 3, 2), k + 2.0)} for k in range(most)]
    guider.set_concepts([[f"concept {k}" for k in range(most)]], fields)
    guider.set_state(step, count, torch.tensor(500.0))
    return guider.prepare_inputs({"encoder_hidden_states": (torch.ones(1, 3, 2), torch.zeros(1, 3, 2))})


@pytest.mark.parametrize("name", hosted())
def test_config_is_json_and_makes_the_same_guider(name: str, tmp_path: Path) -> None:
    guider = SemanticGuidance(METHODS[name](guidance_scale=3.0), guidance_rescale=0.3, stop=0.9)
    guider.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "guider_config.json").read_text())["rule"]["name"] == METHODS[name].name
    loaded: Any = SemanticGuidance.from_pretrained(tmp_path)
    others: list[Any] = [loaded, guider.new(), SemanticGuidance(METHODS[name]()).new()]
    for other in others:
        assert isinstance(other.rule, METHODS[name])
    assert loaded.rule == guider.rule
    assert (loaded.guidance_rescale, loaded._stop) == (0.3, 0.9)


def test_a_config_that_names_the_rule_by_its_short_name_loads(tmp_path: Path) -> None:
    SemanticGuidance(BalancedSGT(strength=0.5)).save_pretrained(tmp_path)
    config = tmp_path / "guider_config.json"
    config.write_text(config.read_text().replace("sgt-balanced", "sgt"))
    loaded: Any = SemanticGuidance.from_pretrained(tmp_path)
    assert loaded.rule == BalancedSGT(strength=0.5)


@pytest.mark.parametrize("rule", [3, "cdg", {"strength": 1.0}, {"name": "sgt", "strenth": 1.0}])
def test_rules_of_the_wrong_form_are_refused(rule: Any) -> None:
    with refuses("rule"):
        SemanticGuidance(rule)


def test_names_of_no_rule_are_refused() -> None:
    with refuses("method", "must be one of"):
        SemanticGuidance("sgd")


def test_guider_refuses_to_spare_evaluations_that_its_pipeline_makes() -> None:
    for rule in (BalancedSGT(uncond_every=2), {"name": "sgt-balanced", "uncond_every": 2}):
        with refuses("uncond_every", "must be 1 under a guider", 2):
            SemanticGuidance(rule)


def test_hosts_see_which_batch_is_at_hand() -> None:
    guider = SemanticGuidance(EAGER)
    batches = held(guider)
    names = [batch.__guidance_identifier__ for batch in batches]
    assert names == guider.active_predictions() == ["pred_cond", "pred_uncond", "pred_concept_0", "pred_concept_1"]
    assert [float(batch.encoder_hidden_states.mean()) for batch in batches] == [1.0, 0.0, 2.0, 3.0]
    seen = []
    for _ in batches:
        guider.prepare_models(torch.nn.Identity())
        seen.append(guider.is_conditional)
        guider.cleanup_models(torch.nn.Identity())
    assert seen == [True, False, True, True]
    assert guider.guidance_scale == SCALE
    assert guider.spatio_temporal_guidance_blocks is None
    assert guider.num_conditions == 4


def test_concepts_are_evaluated_only_where_the_rule_uses_them() -> None:
    assert [len(held(SemanticGuidance(SGT(start=0.25, stop=0.5)), step)) for step in range(4)] == [2, 3 + 1, 2, 2]
    assert len(held(SemanticGuidance(CFG()))) == 2
    assert len(held(SemanticGuidance(CFG(), full_trace=True))) == 4
    assert len(held(SemanticGuidance(SGTv1(), stop=0.5), step=2)) == 1
    assert len(held(SemanticGuidance(EAGER, enabled=False))) == 1


def test_number_of_conditions_is_asked_before_the_first_step_of_each_run() -> None:
    guider = SemanticGuidance(EAGER, stop=0.5)
    held(guider, step=3)
    assert guider.num_conditions == 4
    guider.disable()
    assert guider.num_conditions == 1
    assert SemanticGuidance(SGTv1(guidance_scale=1.0)).num_conditions == 1
    assert SemanticGuidance(SGT(guidance_scale=1.0)).num_conditions == 2


def test_without_guidance_only_an_images_own_concepts_take_the_place_of_its_negative_prompt() -> None:
    texts = (("a", "b"), ("a", "b", "c"))
    cond, *concepts = torch.randn(4, 2, 4, 8, 8, generator=noise())
    rule = SGT(1.0, stop=1.0)
    both = GuiderSession(rule, 1.0, EncodedConcepts(texts, ({}, {}, {})), 4, cond)
    together = both.steer(cond, cond, None, concepts, 0)
    for i, names in enumerate(texts):
        own, alone = [part[i : i + 1] for part in concepts], cond[i : i + 1]
        session = GuiderSession(rule, 1.0, EncodedConcepts((names,), ({}, {}, {})), 4, alone)
        assert torch.equal(session.steer(alone, alone, None, own, 0)[0], together[i])
    assert not torch.equal(together, cond)


def test_a_rule_that_needs_guidance_is_refused_where_the_scale_turns_it_off() -> None:
    with refuses("guidance_scale", "must be > 1 (1 turns the guidance off, which sgt-v1 needs)", 1.0):
        held(SemanticGuidance(SGTv1(1.0)))
    assert len(held(SemanticGuidance(CFG(1.0)))) == 1
    assert len(held(SemanticGuidance(SGT(1.0)))) == 3


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("rescale", [0.0, 0.7])
def test_without_concepts_it_is_diffusers_own_guider_to_the_bit(anchored: bool, rescale: float) -> None:
    given = {"guidance_rescale": rescale, "use_original_formulation": anchored}
    own: Any = ClassifierFreeGuidance(guidance_scale=SCALE, **given)
    mine: Any = SemanticGuidance(CFG(guidance_scale=SCALE), **given)
    cond, uncond = torch.randn(2, 2, 4, 8, 8, generator=noise()).unbind()
    for guider in (own, mine):
        guider.set_state(0, 4, torch.tensor(500.0))
    assert torch.equal(own(_done(own, cond, uncond)).pred, mine(_done(mine, cond, uncond)).pred)


def _done(guider: Any, *predictions: torch.Tensor) -> list[Any]:
    batches = guider.prepare_inputs({"encoder_hidden_states": (torch.ones(2, 3, 2), torch.zeros(2, 3, 2))})
    for batch, prediction in zip(batches, predictions, strict=True):
        batch.noise_pred = prediction
    return batches


def test_rule_is_told_the_whole_scale_of_an_anchored_host() -> None:
    rule = EAGER
    mine = SemanticGuidance(rule, use_original_formulation=True)
    other = SemanticGuidance(SGT(guidance_scale=SCALE + 1, stop=1.0))
    predictions = torch.randn(4, 1, 4, 8, 8, generator=noise(), dtype=torch.float64).unbind()
    outputs = []
    for guider in (mine, other):
        batches = held(guider)
        for batch, prediction in zip(batches, predictions, strict=True):
            batch.noise_pred = prediction
        outputs.append(guider(batches).pred)
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-12, atol=1e-12)


def test_block_state_of_ltx_2_with_four_names_a_field_is_read() -> None:
    guider = SemanticGuidance(EAGER, full_trace=True)
    guider.set_concepts([["a hat"]], [{"connector_prompt_embeds": torch.full((1, 3, 2), 2.0)}])
    guider.set_state(0, 4, torch.tensor(500.0))
    state = BlockState(
        connector_prompt_embeds=torch.ones(1, 3, 2), negative_connector_prompt_embeds=torch.zeros(1, 3, 2)
    )
    names = ("connector_prompt_embeds", "negative_connector_prompt_embeds", *["connector_prompt_embeds"] * 2)
    batches = guider.prepare_inputs_from_block_state(state, {"encoder_hidden_states": names})
    assert [float(batch.encoder_hidden_states.mean()) for batch in batches] == [1.0, 0.0, 2.0]


@pytest.mark.slow
def test_sdxl_stays_disabled_and_can_be_enabled_again() -> None:
    pipe = with_semantic_guidance(made("sdxl"), EAGER)
    steered = call("sdxl", pipe, PROMPT)
    pipe.guider.disable()
    off = call("sdxl", pipe, PROMPT)
    assert torch.equal(call("sdxl", pipe, PROMPT), off)
    pipe.guider.enable()
    assert torch.equal(call("sdxl", pipe, PROMPT), steered)
    assert not torch.equal(steered, off)


def test_several_images_of_a_prompt_have_its_concepts() -> None:
    pipe = with_semantic_guidance(made("sd3"), EAGER)
    given = {"num_images_per_prompt": 2, "negative_prompt": ["", ""]}
    both = call("sd3", pipe, [PROMPT, "a cat"], **given)
    assert pipe.guider.trace.concepts == (tuple(CONCEPTS), tuple(CONCEPTS), ("a cat",), ("a cat",))
    assert len(both) == 4


class Apples:
    """Finds an apple in every prompt."""

    def decompose(self, prompt: str) -> list[Concept]:
        del prompt
        return [Concept("an apple")]


def test_a_guider_that_is_there_gives_its_trace_and_its_block_to_the_next() -> None:
    pipe = with_semantic_guidance(made("sd3"), EAGER)
    pipe.update_components(guider=SemanticGuidance(EAGER, full_trace=True))
    again = with_semantic_guidance(pipe, SGT(guidance_scale=SCALE, strength=0), decomposer=Apples())
    assert again.guider.full_trace
    call("sd3", again, PROMPT, negative_prompt="")
    assert again.guider.trace.concepts == (("an apple",),)


@pytest.mark.filterwarnings("ignore:Unexpected input")  # the plain pipeline has no prompt any more
def test_embeddings_in_the_place_of_a_prompt_run_with_plain_guidance_and_say_so() -> None:
    parts = made("sdxl").components
    blocks = diffusers.StableDiffusionXLAutoBlocks()
    encoder, pipe = blocks.sub_blocks.pop("text_encoder").init_pipeline(), blocks.init_pipeline()
    for part in (encoder, pipe):
        part.register_components(**{name: parts[name] for name in part.component_names if name in parts})
    names = [f"{sign}{name}" for sign in ("", "negative_") for name in ("prompt_embeds", "pooled_prompt_embeds")]
    state = encoder(prompt=PROMPT)
    given: dict[str, Any] = {**{name: state.get(name) for name in names}, "prompt": None}
    with pytest.warns(SemguideWarning, match="prompt_embeds cannot be decomposed"):
        tuned = call("sdxl", with_semantic_guidance(pipe), **given)
    assert torch.equal(tuned, call("sdxl", pipe, **given))


def test_a_modular_pipeline_keeps_as_many_concepts_as_it_is_told() -> None:
    pipe, prompt = with_semantic_guidance(made("sd3"), EAGER, max_concepts=2), f"{PROMPT} and a cat"
    with pytest.warns(SemguideWarning, match=r"2 of 3 concepts .* \(more than 2\)"):
        call("sd3", pipe, prompt, **NEGATIVE)
    assert pipe.guider.trace.concepts == (tuple(CONCEPTS),)
    call("sd3", pipe, prompt, max_concepts=3, **NEGATIVE)
    assert pipe.guider.trace.concepts == ((*CONCEPTS, "a cat"),)


def test_empty_list_of_concepts_asks_for_plain_guidance() -> None:
    pipe = with_semantic_guidance(made("sd3"), EAGER)
    assert torch.equal(call("sd3", pipe, PROMPT, concepts=[], **NEGATIVE), call("sd3", made("sd3"), PROMPT, **NEGATIVE))


def test_host_without_unconditional_embeddings_is_an_error_not_a_plain_image() -> None:
    with pytest.raises(GuidanceNotApplied, match="give it a negative_prompt"):
        call("sd3", with_semantic_guidance(made("sd3"), EAGER), PROMPT)


@pytest.mark.parametrize("given", [{"concepts": []}, {"concepts": ["a hat"], "rule": CFG(guidance_scale=SCALE)}])
def test_host_without_unconditional_embeddings_is_never_unguided_without_saying_so(given: dict[str, Any]) -> None:
    tuned = with_semantic_guidance(made("sd3"), given.pop("rule", EAGER))
    with pytest.warns(UserWarning, match="runs without any guidance; give it a negative_prompt") as told:
        call("sd3", tuned, PROMPT, **given)
    assert len(told) == 1


def test_guider_without_the_block_is_an_error_not_a_plain_image() -> None:
    pipe = copy.copy(made("sd3"))
    pipe.guider = SemanticGuidance(EAGER)
    with pytest.raises(GuidanceNotApplied, match="insert SemanticConceptsStep"):
        call("sd3", pipe, PROMPT, **NEGATIVE)


def test_block_can_be_inserted_by_hand() -> None:
    blocks = StableDiffusion3AutoBlocks()
    blocks.sub_blocks.insert("semantic_concepts", SemanticConceptsStep(), 0)
    pipe = blocks.init_pipeline()
    pipe.register_components(**{name: part for name, part in made("sd3").components.items() if name != "guider"})
    pipe.update_components(guider=SemanticGuidance(EAGER))
    wanted = call("sd3", with_semantic_guidance(made("sd3"), EAGER), PROMPT, **NEGATIVE)
    assert torch.equal(call("sd3", pipe, PROMPT, **NEGATIVE), wanted)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_saved_pipeline_brings_its_guider_along(tmp_path: Path) -> None:
    tuned = with_semantic_guidance(made("sd3"), EAGER)
    tuned.save_pretrained(str(tmp_path))
    loaded: Any = ModularPipeline.from_pretrained(str(tmp_path))
    loaded.load_components()
    assert isinstance(loaded.guider, SemanticGuidance)
    assert loaded.guider.rule == EAGER
    again = with_semantic_guidance(loaded)
    assert again.guider is loaded.guider
    loaded.guider = plain_guider("sd3")
    wanted = call("sd3", with_semantic_guidance(loaded, EAGER), PROMPT, **NEGATIVE)
    assert torch.equal(call("sd3", again, PROMPT, **NEGATIVE), wanted)
    assert isinstance(made("sd3").guider, ClassifierFreeGuidance)


def test_scale_window_and_formulation_are_those_of_the_replaced_guider() -> None:
    pipe = copy.copy(made("sd3"))
    pipe.guider = ClassifierFreeGuidance(3.5, guidance_rescale=0.2, use_original_formulation=True, start=0.1, stop=0.8)
    guider = with_semantic_guidance(pipe).guider
    assert guider.rule == SGT(guidance_scale=3.5)
    assert (guider.guidance_rescale, guider.use_original_formulation) == (0.2, True)
    assert (guider._start, guider._stop) == (0.1, 0.8)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("QwenImageEditModularPipeline", "edits an image by an instruction"),
        ("QwenImageEditPlusModularPipeline", "edits an image by an instruction"),
        ("QwenImageLayeredModularPipeline", "edits an image by an instruction"),
        ("MiniMaxMusic3ModularPipeline", "makes music"),
        ("HunyuanVideo15Pipeline", "use the guider SemanticGuidance with its modular pipeline"),
        ("HunyuanVideo15ImageToVideoPipeline", "use the guider SemanticGuidance with its modular pipeline"),
        ("HunyuanImageRefinerPipeline", "refines a finished picture"),
    ],
)
def test_pipelines_that_the_guider_cannot_serve_are_refused_with_the_reason(name: str, reason: str) -> None:
    if not hasattr(diffusers, name):
        pytest.skip(f"no {name} in diffusers {diffusers.__version__}")
    pipe = object.__new__(getattr(diffusers, name))
    for refuse in (with_semantic_guidance, lambda pipe: steer(pipe, EAGER)):
        with pytest.raises(UnsupportedPipeline, match=f"pipe is a {name}, which .*{reason}"):
            refuse(pipe)


@pytest.mark.parametrize("pipe", [None, "sd3", torch.nn.Identity()])
def test_pipelines_without_a_guider_are_refused(pipe: Any) -> None:
    with pytest.raises(UnsupportedPipeline, match="use steer for ordinary pipelines"):
        with_semantic_guidance(pipe)


class OwnCaches(ClassifierFreeGuidance):
    """Diffusers' guider with a cache for each of its predictions, empty at the first step."""

    def prepare_models(self, denoiser: Any) -> None:
        super().prepare_models(denoiser)
        if self._step == 0 and self._count_prepared == 1:
            denoiser._reset_stateful_cache()
        self.context = denoiser.cache_context(f"own {self._count_prepared}")
        self.context.__enter__()

    def cleanup_models(self, denoiser: Any) -> None:
        self.context.__exit__(None, None, None)


@pytest.mark.parametrize("name", ["qwen-image", pytest.param("wan", marks=pytest.mark.slow)])
def test_first_block_cache_keeps_concepts_apart(name: str) -> None:
    plain = doubled(name)
    plain.guider = OwnCaches(guidance_scale=SCALE)
    prompts, concepts, given = PROMPT, [CONCEPTS], {"negative_prompt": "blurry"}
    uncached = call(name, with_semantic_guidance(plain, REMEMBERING), prompts, **given)
    plain.transformer.enable_cache(FirstBlockCacheConfig(threshold=1e9))  # all but the first block from the cache
    tuned, record = recorded(with_semantic_guidance(plain, REMEMBERING))
    cached = call(name, tuned, prompts, **given)
    wanted = expected(name, plain, REMEMBERING, record, prompts, concepts, **given)
    for seen, prediction in zip(record["guider"], wanted["guider"], strict=True):
        torch.testing.assert_close(seen.output.pred, prediction, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(cached, uncached)
    assert torch.equal(call(name, with_semantic_guidance(plain, REMEMBERING), prompts, **given), cached)


def test_rule_that_corrected_nothing_warns_once_a_run() -> None:
    rule = SGTv1(guidance_scale=SCALE, subject_threshold=0.0, abstract_threshold=0.0, upper_bound=1.0)
    for guided, told in ((rule, "sgt-v1 corrected nothing"), (SGT(SCALE, start=0.51, stop=0.52), "acts at none of")):
        tuned = with_semantic_guidance(made("sdxl"), guided)
        with pytest.warns(SemguideWarning, match=told) as caught:
            call("sdxl", tuned, PROMPT)
        assert sum(issubclass(item.category, SemguideWarning) for item in caught) == 1


@pytest.mark.parametrize("step", [0, 1])
def test_prediction_that_is_not_finite_stops_with_its_step(step: int) -> None:
    guider: Any = SemanticGuidance(EAGER, stop=0.5)
    predicted = held(guider, 0, 2)
    predict(predicted, float("nan") if step == 0 else 0.0)
    guider(predicted)
    guider.set_state(1, 2, torch.tensor(250.0))
    predicted = guider.prepare_inputs({"encoder_hidden_states": (torch.ones(1, 3, 2), torch.zeros(1, 3, 2))})
    predict(predicted, float("nan") if step == 1 else 1.0)
    with pytest.raises(NotFinite, match=f"the denoiser at step {step + 1} made NaN or infinity"):
        guider(predicted)


def predict(batches: list[Any], value: float) -> None:
    for index, batch in enumerate(batches):
        batch.noise_pred = torch.full((1, 4, 2, 2), value) + index


def test_modular_pipeline_takes_concepts_encoded() -> None:
    pipe = made("sdxl")
    tuned = with_semantic_guidance(pipe, EAGER)
    expected = call("sdxl", tuned, PROMPT)
    known = tuned.guider._concepts
    embeds = {text: dict(known.fields[k]) for k, text in enumerate(CONCEPTS)}
    assert torch.equal(call("sdxl", tuned, PROMPT, concept_embeds=embeds), expected)
    with refuses("concept_embeds", "must hold every concept"):
        call("sdxl", tuned, PROMPT, concepts=["a cat"], concept_embeds=embeds)
