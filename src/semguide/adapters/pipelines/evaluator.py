"""What the denoiser is asked for each image, encoded, and its evaluation: the pipeline's own call, and the concepts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.inputs import prompts_of
from semguide.adapters.pipelines.denoiser_call import (
    Conditioning,
    DenoiserCall,
    joined,
    prediction_of,
    shape_of,
    with_prediction,
)
from semguide.adapters.pipelines.families.spec import BatchLayout, PipelineSpec
from semguide.adapters.pipelines.patching import Forward
from semguide.adapters.pipelines.text_encoding import PromptConditioning, TextEncoder
from semguide.adapters.pipelines.token_nulling import check_nulling, with_tokens_nulled
from semguide.types import Concept


@dataclass(frozen=True)
class ImageConditioning:
    """What the denoiser is asked for one image.

    Attributes:
        concepts: The concept texts; none for plain classifier-free guidance.
        encoded: Denoiser arguments of each concept, one row each; empty where none is evaluated.
        prompt: The conditioning of its prompt alone, None where the pipeline's own is used for all images.
        negative: The conditioning of its negative prompt, where the pipeline makes no unconditional prediction.
        edits: Denoiser arguments of each edit, one row each.
    """

    concepts: tuple[str, ...]
    encoded: tuple[Conditioning, ...] = ()
    prompt: PromptConditioning | None = None
    negative: Conditioning | None = None
    edits: tuple[Conditioning, ...] = ()


def encode_images(
    encoder: TextEncoder,
    spec: PipelineSpec,
    concepts: Sequence[Sequence[Concept]],
    *,
    evaluated: bool,
    alone: bool,
    embedded: bool,
    null_tokens: str = "",
    edits: Sequence[str] = (),
) -> list[ImageConditioning]:
    """Encode prompts and concepts, one ImageConditioning per image: all images of a prompt before the next prompt.

    Args:
        encoder: Of the call.
        spec: The spec of the pipeline's family.
        concepts: Of each prompt.
        evaluated: Whether the concepts will be evaluated at all.
        alone: Whether each prompt is to be read as it is alone.
        embedded: Whether the pipeline makes no unconditional prediction, so that this must.
        null_tokens: Whose tokens are nulled in the prompt for e(0), as in `Rule.null_tokens`.
        edits: What the images are to show more or less of.

    Raises:
        InvalidArgument: Tokens are to be nulled in a prompt that is not one text, or concepts that are not in it.
        UnsupportedPipeline: Tokens are to be nulled, and it is not known where they are.
    """
    pipe, arguments = encoder.pipe, encoder.arguments
    prompts = encoder.prompts(len(concepts)) if alone and not null_tokens else None
    if null_tokens:
        check_nulling(pipe, spec, embedded)
        words = map(str, prompts_of(arguments, spec.text.embeds[0]))
        read = zip(encoder.texts(len(concepts)), words, concepts, strict=True)
        prompts = [with_tokens_nulled(pipe, spec.text, *prompt, null_tokens) for prompt in read]
    changed = encoder.concepts(edits)
    images: list[ImageConditioning] = []
    for i, found in enumerate(concepts):
        texts = tuple(concept.text for concept in found)
        image = ImageConditioning(
            texts,
            encoder.concepts(texts) if evaluated else (),
            prompts[i] if prompts else None,
            encoder.concepts([_negative(arguments, i)])[0] if embedded and evaluated and texts else None,
            changed,
        )
        images += [image] * int(arguments.get(spec.per_prompt) or 1)
    return images


def _negative(arguments: Mapping[str, Any], index: int) -> str:
    """Return the negative prompt of a prompt."""
    given = arguments.get("negative_prompt") or ""
    return given if isinstance(given, str) else given[index]


class Evaluator:
    """Evaluates the denoiser for some images.

    Args:
        images: What to ask for each image.
        layout: Where the rows of a call are.
        apart: Whether the pipeline's own call is made image by image.
        one_call: Whether the concepts of all images go into one call where their shapes allow it.
        null_scope: Makes the context in which e(0) is evaluated, in a call of its own; None: as e(P), beside it.
    """

    def __init__(
        self,
        images: Sequence[ImageConditioning],
        layout: BatchLayout,
        *,
        apart: bool,
        one_call: bool,
        null_scope: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        self._images = images
        self._layout = layout
        self._apart = apart
        self._one_call = one_call
        self._null_scope = null_scope

    def evaluate_prompts(
        self, forward: Forward, call: DenoiserCall, branches: Sequence[str], spared: Collection[int] = ()
    ) -> object:
        """Run the pipeline's own conditional and unconditional call.

        Args:
            forward: The denoiser's forward.
            call: The call, with the rows of all images for each branch.
            branches: "cond", "uncond" or both, in the order of the rows.
            spared: Images of which e(0) is not evaluated; not all of them where that is the only branch.

        Returns:
            What the denoiser returns, with zeros for what was not evaluated.
        """
        if self._null_scope is None or "uncond" not in branches:
            return self._evaluate_prompts(forward, call, branches, spared)
        if len(branches) == 1:
            with self._null_scope():
                return self._evaluate_prompts(forward, call, branches, spared)
        count = len(self._images)
        rows = {branch: range(j * count, (j + 1) * count) for j, branch in enumerate(branches)}
        left_out = {"cond": (), "uncond": spared}
        outputs = {
            branch: self.evaluate_prompts(forward, call.at(rows[branch]), (branch,), left_out[branch])
            for branch in branches
            if len(left_out[branch]) < count
        }
        none = torch.zeros_like(prediction_of(outputs["cond"]))
        each = [prediction_of(outputs[branch]) if branch in outputs else none for branch in branches]
        return with_prediction(outputs["cond"], torch.cat(each))

    def _evaluate_prompts(
        self, forward: Forward, call: DenoiserCall, branches: Sequence[str], spared: Collection[int]
    ) -> object:
        rows = [(branch, i) for branch in branches for i in range(len(self._images))]
        asked = [(branch, i) for branch, i in rows if branch == "cond" or i not in spared]
        groups = [[row for row in asked if row[1] == i] for i in range(len(self._images))] if self._apart else [asked]
        outputs: list[Any] = []
        found: dict[tuple[str, int], Tensor] = {}
        for group in filter(None, groups):
            chosen = call if len(group) == len(rows) else call.at([rows.index(row) for row in group])
            outputs.append(self._read_alone(chosen, group).evaluate(forward))
            found.update(zip(group, prediction_of(outputs[-1]).split(1), strict=True))
        if len(outputs) == 1 and not spared:
            return outputs[0]
        none = torch.zeros_like(next(iter(found.values())))
        return with_prediction(outputs[0], torch.cat([found.get(row, none) for row in rows]))

    def evaluate_concepts(
        self, forward: Forward, call: DenoiserCall, wanted: Sequence[int], edits: Sequence[int] = ()
    ) -> Mapping[int, Tensor]:
        """Return e(c_k) of each wanted image: (concept, *dims), then those of edits of every image.

        e(0) comes first where the pipeline makes none.

        Args:
            forward: The denoiser's forward.
            call: The call with the rows of the prompts, one per image.
            wanted: Images whose concepts are evaluated.
            edits: Which edits are.
        """
        images = range(len(self._images)) if edits else wanted
        jobs = {i: [(i, conditioning) for conditioning in self._asked(i, i in wanted, edits)] for i in images}
        if not self._one_call:
            return {i: self._evaluate(forward, call, job) for i, job in jobs.items()}
        if not jobs:
            return {}
        together = self._evaluate(forward, call, [pair for job in jobs.values() for pair in job])
        return dict(zip(jobs, together.split([len(job) for job in jobs.values()]), strict=True))

    def _asked(self, image: int, concepts: bool, edits: Sequence[int]) -> list[Conditioning]:
        found = self._images[image]
        negative = [] if found.negative is None else [found.negative]
        return [*negative, *(found.encoded if concepts else ()), *(found.edits[k] for k in edits)]

    def _read_alone(self, call: DenoiserCall, rows: Sequence[tuple[str, int]]) -> DenoiserCall:
        """Return a call of some rows, (branch, image), with each prompt as it is read alone, where it was."""
        if any(self._images[i].prompt is None for _, i in rows):
            return call
        return call.conditioned(joined([getattr(self._images[i].prompt, branch) for branch, i in rows], self._layout))

    def _evaluate(self, forward: Forward, call: DenoiserCall, jobs: Sequence[tuple[int, Conditioning]]) -> Tensor:
        """Return the predictions for (row, conditioning) pairs; in one call if these have one shape."""
        parts = [conditioning for _, conditioning in jobs]
        if len({shape_of(part) for part in parts}) > 1:
            return torch.cat([self._evaluate(forward, call, [job]) for job in jobs])
        chosen = call.at([row for row, _ in jobs]).conditioned(joined(parts, self._layout))
        return prediction_of(chosen.evaluate(forward))
