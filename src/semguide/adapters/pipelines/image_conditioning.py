"""What a steered call has to look at: concepts, encoded, for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semguide.adapters.inputs import prompts_of
from semguide.adapters.pipelines.evaluator import ImagePlan
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.text_encoding import TextEncoder
from semguide.adapters.pipelines.token_nulling import check_nulling, degraded
from semguide.types import Concept


def image_plans(
    pipe: Any,
    architecture: PipelineSpec,
    arguments: Mapping[str, Any],
    concepts: Sequence[Sequence[Concept]],
    *,
    evaluated: bool,
    alone: bool,
    embedded: bool,
    null_tokens: str = "",
) -> list[ImagePlan]:
    """Return one plan per image, in the pipeline's order: all images of a prompt before the next prompt.

    Args:
        pipe: The pipeline.
        architecture: Its row of the table.
        arguments: Of the call.
        concepts: Of each prompt.
        evaluated: Whether the concepts will be evaluated at all.
        alone: Whether each prompt is to be read as it is alone.
        embedded: Whether the pipeline makes no unconditional prediction, so that the plan must.
        null_tokens: Whose tokens are nulled in the prompt for e(0), as in `Rule.null_tokens`.

    Raises:
        InvalidArgument: Tokens are to be nulled in a prompt that is not one text, or concepts that are not in it.
        UnsupportedPipeline: Tokens are to be nulled, and it is not known where they are.
    """
    encoder = TextEncoder(pipe, architecture.text, arguments)
    prompts = encoder.prompts(len(concepts)) if alone else None
    if null_tokens:
        check_nulling(pipe, architecture, embedded)
        words = map(str, prompts_of(arguments, architecture.text.embeds[0]))
        read = zip(encoder.texts(len(concepts)), words, concepts, strict=True)
        prompts = [degraded(pipe, architecture.text, *prompt, null_tokens) for prompt in read]
    plans: list[ImagePlan] = []
    for i, found in enumerate(concepts):
        texts = tuple(concept.text for concept in found)
        plan = ImagePlan(
            texts,
            encoder.concepts(texts) if evaluated else (),
            prompts[i] if prompts else None,
            encoder.concepts([_negative(arguments, i)])[0] if embedded and evaluated and texts else None,
        )
        plans += [plan] * int(arguments.get(architecture.per_prompt) or 1)
    return plans


def _negative(arguments: Mapping[str, Any], index: int) -> str:
    """Return the negative prompt of a prompt."""
    given = arguments.get("negative_prompt") or ""
    return given if isinstance(given, str) else given[index]
