"""Ordinary pipelines of diffusers whose guidance is a guider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from semguide.adapters.guiders.encoded_concepts import fields_of
from semguide.adapters.guiders.guider import SemanticGuidance
from semguide.adapters.inputs import concepts_of, prompts_of, text_readers, warn_of_left_out, warn_of_truncation
from semguide.adapters.pipelines.families.registry import tokenizers_of
from semguide.adapters.pipelines.tokenizing import reads_in_turn
from semguide.concepts.budget import MAX_CONCEPTS


@dataclass(frozen=True)
class Encoding:
    """How a pipeline whose guidance is a guider encodes prompts.

    Attributes:
        fields: What `encode_prompt` returns, in order; "" for what is not of the prompt.
        options: Arguments of the pipeline that it hands on to `encode_prompt`.
        counted: Whether `encode_prompt` is told the number of prompts.
    """

    fields: tuple[str, ...]
    options: tuple[str, ...] = ()
    counted: bool = False


_MOTIF = Encoding(("prompt_embeds", "", "prompt_attention_mask", ""), ("max_sequence_length",))

ENCODED: Mapping[str, Encoding] = {
    "HunyuanImagePipeline": Encoding(
        ("prompt_embeds", "prompt_embeds_mask", "prompt_embeds_2", "prompt_embeds_mask_2"), counted=True
    ),
    "MotifVideoPipeline": _MOTIF,
    "MotifVideoImage2VideoPipeline": _MOTIF,
}
"""The ordinary pipelines whose guidance is a guider, by class name."""


class GuiderPipeline:
    """An ordinary pipeline with `SemanticGuidance` in the place of its guiders while a call lasts.

    Attributes:
        pipe: The pipeline.
        guider: The guider; its `trace` is that of the last call.
        decomposer: The back end that reads prompts.
        max_concepts: How many of the concepts found in a prompt to keep.
    """

    def __init__(self, pipe: Any, guider: SemanticGuidance, decomposer: Any, max_concepts: int = MAX_CONCEPTS) -> None:
        self.pipe = pipe
        self.guider = guider
        self.decomposer = decomposer
        self.max_concepts = max_concepts

    @reads_in_turn
    def __call__(
        self,
        prompt: Any = None,
        *,
        concepts: Any = None,
        max_concepts: int | None = None,
        concept_embeds: Mapping[str, Mapping[str, Any]] | None = None,
        **arguments: Any,
    ) -> Any:
        """Run the pipeline.

        Args:
            prompt: As for the pipeline.
            concepts: Texts for all prompts, or a list of such lists, one per prompt; None decomposes the prompts.
            max_concepts: How many of the concepts found in a prompt to keep, >= 1; None: as told before.
            concept_embeds: Concept text -> what `encode_prompt` makes of it, one row each, by the names of the
                pipeline's arguments, for a pipeline without its text encoder; without `concepts` these are the
                concepts.
            **arguments: The pipeline's own.

        Returns:
            What the pipeline returns.
        """
        prompts = prompts_of({**arguments, "prompt": prompt})
        concepts = [*concept_embeds] if concepts is None and concept_embeds else concepts
        needed = self.guider.needs_encoding()
        readers = text_readers(self.pipe, tokenizers_of(self.pipe), arguments)
        most = self.max_concepts if max_concepts is None else max_concepts
        choices = concepts_of(prompts, concepts if needed else [], self.decomposer, most, readers)
        if concepts is None and needed:
            warn_of_left_out(prompts, choices)
        warn_of_truncation(readers, prompts, [choice.kept for choice in choices])
        texts = [[concept.text for concept in choice.kept] for choice in choices]
        given = fields_of(texts, concept_embeds) if concept_embeds and needed else None
        fields = self._encoded(prompts, texts, arguments) if given is None else given
        self.guider.set_concepts(texts, fields, scheduler=self.pipe.scheduler)
        before = {name: part for name, part in self.pipe.components.items() if name in ("guider", "ocr_guider")}
        try:
            for name in before:
                setattr(self.pipe, name, self.guider)
            return self.pipe(prompt=prompt, **arguments)
        finally:
            for name, part in before.items():
                setattr(self.pipe, name, part)

    def _encoded(
        self, prompts: Sequence[str | None], texts: Sequence[Sequence[str]], arguments: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what the pipeline makes of the k-th concepts of all prompts, for each k."""
        encoding = ENCODED[type(self.pipe).__name__]
        options = {name: arguments[name] for name in encoding.options if name in arguments}
        options |= {"batch_size": len(prompts)} if encoding.counted else {}
        fields: list[dict[str, Any]] = []
        for k in range(max(len(names) for names in texts)):
            own = [names[k] if k < len(names) else prompts[i] or "" for i, names in enumerate(texts)]
            with torch.no_grad():
                parts = self.pipe.encode_prompt(prompt=own, device=self.pipe._execution_device, **options)
            fields.append({name: part for name, part in zip(encoding.fields, parts, strict=True) if name})
        return fields
