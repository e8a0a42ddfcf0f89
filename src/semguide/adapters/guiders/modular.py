"""Concepts for diffusers' modular pipelines: one block in front of the others, and one call that puts it there."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diffusers.modular_pipelines import ModularPipeline, ModularPipelineBlocks, PipelineState
from diffusers.modular_pipelines.modular_pipeline import LoopSequentialPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec, InputParam

from semguide.adapters.guiders.encoded_concepts import TEXTS, fields_of
from semguide.adapters.guiders.guider import SemanticGuidance
from semguide.adapters.guiders.guider_pipeline import ENCODED, GuiderPipeline
from semguide.adapters.inputs import concepts_of, prompts_of, text_readers, warn_of_left_out, warn_of_truncation
from semguide.adapters.pipelines.families.registry import refuse, tokenizers_of
from semguide.adapters.pipelines.tokenizing import tokenizers_in_turn
from semguide.concepts.budget import MAX_CONCEPTS, check_max_concepts
from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.guidance import BalancedSGT, Rule

BLOCK = "semantic_concepts"
_BLOCK = '''"""The concept block of semguide: `pip install .` in a clone of its repository."""

from diffusers.modular_pipelines import ModularPipelineBlocks
from semguide import SemanticConceptsStep


class SemanticConcepts(SemanticConceptsStep, ModularPipelineBlocks):
    """Finds and encodes the concepts of the prompts, for the guider `semguide.SemanticGuidance`."""

    def __init__(self, decomposer="{decomposer}", max_concepts={max_concepts}):
        super().__init__(decomposer, max_concepts)
'''
"""What a saved block is; diffusers' own command packages it too, as it names diffusers' class."""


class SemanticConceptsStep(ModularPipelineBlocks):
    """Finds the concepts of the prompts, encodes them as the pipeline encodes prompts, and gives them to the guider.

    To be inserted in front of all other blocks. It adds inputs to the pipeline: `concepts`, texts for all prompts
    or a list of such lists, one per prompt (None decomposes the prompts, an empty list asks for plain guidance),
    `max_concepts`, and `concept_embeds`, the encoding of each concept text for a pipeline without its text encoder.

    Args:
        decomposer: The back end that reads prompts: a name of `semguide.concepts.BACKENDS` or a `Decomposer`.
        max_concepts: How many of the concepts found in a prompt to keep, >= 1, where a call does not say.
    """

    def __init__(self, decomposer: Any = "lexicon", max_concepts: int = MAX_CONCEPTS) -> None:
        super().__init__()
        self.decomposer = decomposer
        self.max_concepts = max_concepts

    @property
    def description(self) -> str:
        """What the block does."""
        return "Encodes the concepts of the prompts with the pipeline's own text encoder, for SemanticGuidance."

    @property
    def inputs(self) -> list[InputParam]:
        """The prompt, and the concepts where the caller names them."""
        return [
            InputParam("prompt", description="The prompt or prompts to guide the generation."),
            InputParam("concepts", description="What must be in the picture; None reads it from the prompt."),
            InputParam("max_concepts", description="How many of the concepts found in a prompt to keep."),
            InputParam("concept_embeds", description="Concept text to its encoding, by the names of the state."),
        ]

    def __call__(self, components: Any, state: PipelineState) -> tuple[Any, PipelineState]:
        """Set the concepts of every `SemanticGuidance` of the pipeline."""
        with tokenizers_in_turn(components.components.values()):
            self._set_concepts(components, state)
        return components, state

    def save_pretrained(self, save_directory: str | Path, push_to_hub: bool = False, **kwargs: Any) -> None:
        """Save the block as the Hub takes blocks: block.py, which imports it from semguide, and modular_config.json.

        `ModularPipelineBlocks.from_pretrained(folder, trust_remote_code=True)` loads it.

        Args:
            save_directory: The folder.
            push_to_hub: Whether to upload it too.
            kwargs: What diffusers' `save_config` takes for that.

        Raises:
            InvalidArgument: The decomposer is an object: a name can be saved.
        """
        if not isinstance(self.decomposer, str):
            raise InvalidArgument(
                "decomposer", "must be a name, such as 'lexicon', to be saved", type(self.decomposer).__name__
            )
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        source = _BLOCK.format(decomposer=self.decomposer, max_concepts=self.max_concepts)
        (folder / "block.py").write_text(source, encoding="utf-8")
        mapped = {"auto_map": {"ModularPipelineBlocks": "block.SemanticConcepts"}}
        self.register_to_config(**mapped, requirements={"semguide": f">={version('semguide')}"})
        self.save_config(save_directory=str(folder), push_to_hub=push_to_hub, **kwargs)

    def _set_concepts(self, components: Any, state: PipelineState) -> None:
        guiders = {name: part for name, part in components.components.items() if isinstance(part, SemanticGuidance)}
        needed = any(guider.needs_encoding() for guider in guiders.values())
        named = any(state.get(name) is not None for name in ("prompt", "prompt_embeds"))
        prompts = prompts_of(state.values) if named else [None]
        embeds: Any = state.get("concept_embeds")
        given = [*embeds] if embeds and state.get("concepts") is None else state.get("concepts")
        texts: list[tuple[str, ...]] = [() for _ in prompts]
        fields: list[dict[str, Any]] = []
        if needed:
            readers = text_readers(components, tokenizers_of(components.blocks), state.values)
            most: Any = state.get("max_concepts")
            choices = concepts_of(prompts, given, self.decomposer, self.max_concepts if most is None else most, readers)
            if given is None:
                warn_of_left_out(prompts, choices)
            warn_of_truncation(readers, prompts, [choice.kept for choice in choices])
            texts = [tuple(concept.text for concept in choice.kept) for choice in choices]
            fields = fields_of(texts, embeds) if embeds else encoded(components, state, prompts, texts)
        for name, guider in guiders.items():
            guider.set_concepts(
                texts,
                fields,
                scheduler=components.scheduler,
                predicts_x0=hasattr(components, "audio_guider"),
                before=guiders.get("guider") if name == "guider_2" else None,
            )


def encoded(
    components: Any, state: PipelineState, prompts: Sequence[str | None], texts: Sequence[Sequence[str]]
) -> list[dict[str, Any]]:
    """Return what the pipeline's own blocks make of the k-th concepts of all prompts, for each k.

    Args:
        components: The pipeline.
        state: Its state; it is left alone.
        prompts: The prompts, which stand in for the concepts that some of them do not have.
        texts: The concepts of each prompt.

    Raises:
        InvalidArgument: The pipeline has no text encoder block.
    """
    most = max((len(names) for names in texts), default=0)
    path = text_path(components.blocks) if most else []
    single = len(prompts) == 1 and not isinstance(state.get("prompt"), list)
    fields: list[dict[str, Any]] = []
    for k in range(most):
        own = [names[k] if k < len(names) else prompts[i] or "" for i, names in enumerate(texts)]
        fields.append(_run(path, components, state, own[0] if single else own))
    return fields


def _run(path: Sequence[Any], components: Any, state: PipelineState, prompt: str | list[str]) -> dict[str, Any]:
    """Run blocks with another prompt on a state of their own; lists are copied, as Z-Image writes into its own."""
    kept = {name: value for name, value in state.values.items() if name not in TEXTS}
    values = {name: list(value) if isinstance(value, list) else value for name, value in kept.items()}
    values |= {name: None for name in ("prompt_2", "prompt_3") if name in values}
    scratch = PipelineState({**values, "prompt": prompt}, {kind: [*of] for kind, of in state.kwargs_mapping.items()})
    for block in path:
        _, scratch = block(components, scratch)
    return {name: scratch.values[name] for name in TEXTS if scratch.values.get(name) is not None}


def text_path(blocks: Any) -> list[Any]:
    """Return the blocks that turn the prompt into what the denoiser reads: the text encoder, then what reworks it.

    Raises:
        InvalidArgument: There is no text encoder.
    """
    named = blocks.sub_blocks.items()
    path = [block for name, block in named if name.split(".")[0] == "text_encoder"]
    if not path:
        raise InvalidArgument(
            "blocks",
            "must have a text_encoder to encode concepts with",
            [*blocks.sub_blocks],
            "give the encoded concepts as {concept_embeds}",
        )
    seen: set[type] = set()
    for block in _leaves([block for name, block in named if block not in path]):
        if type(block) not in seen and TEXTS.intersection(block.intermediate_output_names):
            seen.add(type(block))
            path.append(block)
    return path


def _leaves(blocks: Sequence[Any]) -> Iterator[Any]:
    """Return the blocks that are made of no others, without those of the denoising loop."""
    for block in blocks:
        if isinstance(block, LoopSequentialPipelineBlocks):
            continue
        if block.sub_blocks:
            yield from _leaves(list(block.sub_blocks.values()))
        else:
            yield block


def with_semantic_guidance(
    pipe: Any, rule: Rule[Any] | None = None, *, decomposer: Any = "lexicon", max_concepts: int = MAX_CONCEPTS
) -> Any:
    """Return a pipeline that keeps the concepts of its prompts, for pipelines whose guidance is a guider.

    It shares all models with the given pipeline, which is left as it is. Guidance scale, rescaling, formulation and
    window are those of the guider that is replaced; a `SemanticGuidance` that is there already, as in a pipeline
    loaded from where one was saved, is kept.

    Args:
        pipe: A modular pipeline with a guider, or an ordinary one of `guided_pipeline.ENCODED`.
        rule: The rule, with the guidance scale to use; None is `BalancedSGT()` at the replaced guider's scale.
        decomposer: The back end that reads prompts.
        max_concepts: How many of the concepts found in a prompt to keep, >= 1.

    Raises:
        InvalidArgument: `max_concepts` is less than 1.
        UnsupportedPipeline: It is no such pipeline, or one of those that are refused with a reason.
    """
    check_max_concepts(max_concepts)
    if type(pipe).__name__ in ENCODED and pipe.guider is not None:
        return GuiderPipeline(pipe, guider_like(pipe.guider, rule), decomposer, max_concepts)
    refuse(pipe)
    if not isinstance(pipe, ModularPipeline) or getattr(pipe, "guider", None) is None:
        raise UnsupportedPipeline(
            f"pipe must be a modular pipeline with a guider, got {type(pipe).__name__}; "
            "use steer for ordinary pipelines"
        )
    tuned = copy.copy(pipe)
    tuned._blocks = pipe.blocks
    tuned._component_specs = dict(pipe._component_specs)
    tuned._internal_dict = copy.deepcopy(pipe._internal_dict)
    tuned._blocks.sub_blocks.pop(BLOCK, None)
    tuned._blocks.sub_blocks.insert(BLOCK, SemanticConceptsStep(decomposer, max_concepts), 0)
    for name in ("guider", "guider_2"):
        if hasattr(pipe, name):
            tuned._component_specs[name] = ComponentSpec(name, SemanticGuidance)  # so that it is saved with the rest
            tuned.update_components(**{name: guider_like(getattr(pipe, name), rule)})
    return tuned


def guider_like(guider: Any, rule: Rule[Any] | None) -> SemanticGuidance:
    """Return a guider in the place of another one: the same rescaling, formulation, window, trace and scale."""
    if isinstance(guider, SemanticGuidance) and rule is None:
        return guider
    kept = ("guidance_rescale", "use_original_formulation", "start", "stop", "full_trace")
    config = {name: guider.config[name] for name in kept if name in guider.config}
    return SemanticGuidance(BalancedSGT(guidance_scale=guider.guidance_scale) if rule is None else rule, **config)
