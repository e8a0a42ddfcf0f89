"""Text into conditioning, with the pipeline's own `encode_prompt`, one text at a time.

One at a time, because on a CPU the rows of a batch can differ from a batch of one in the last bit, and because some
pipelines pad the texts of a batch to the longest one.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.inputs import TextReader, text_readers
from semguide.adapters.pipelines.denoiser_call import Conditioning
from semguide.adapters.pipelines.families.spec import PromptEncodingSpec
from semguide.errors import InvalidArgument
from semguide.files import read_json


@dataclass(frozen=True)
class PromptConditioning:
    """The conditioning of one prompt as it is alone.

    Attributes:
        cond: Of the prompt, one row.
        uncond: Of the negative prompt, one row.
    """

    cond: Conditioning
    uncond: Conditioning


class TextEncoder:
    """Encodes texts as the pipeline would encode them as prompts; a concept met again is not encoded again.

    Args:
        pipe: The pipeline.
        text: How it takes texts.
        arguments: Of its call.
        concept_embeds: Concepts that are encoded already, as in `SteeredPipeline.__call__`.
        guided: Whether the call has a negative prompt.
    """

    def __init__(
        self,
        pipe: Any,
        text: PromptEncodingSpec,
        arguments: Mapping[str, Any],
        concept_embeds: Mapping[str, Any] | None = None,
        *,
        guided: bool = True,
    ) -> None:
        self.pipe = pipe
        self._guided = guided
        self._text = text
        self.arguments = arguments
        self._options = {**text.fixed, **call_options(pipe, text, arguments)}
        if "device" in inspect.signature(type(pipe).encode_prompt).parameters:
            self._options["device"] = pipe._execution_device
        if text.lora is not None:
            self._options["lora_scale"] = (arguments.get(text.lora) or {}).get("scale")
        self._known: dict[str, Conditioning] = {
            name: _given_conditioning(text, name, embeds) for name, embeds in (concept_embeds or {}).items()
        }

    def concepts(self, texts: Sequence[str]) -> tuple[Conditioning, ...]:
        """Return the conditioning of some concepts, one row each.

        Raises:
            InvalidArgument: The pipeline was loaded without its text encoder.
        """
        return tuple(self._concept(text) for text in texts)

    def prompts(self, count: int) -> list[PromptConditioning] | None:
        """Return the conditioning of each prompt of the call, encoded apart from the others.

        Args:
            count: Number of prompts.

        Returns:
            One per prompt; None where there is only one, where embeddings are given in the place of texts or may be
            changed by a callback, where the pipeline rewrites the prompts, or where it will refuse the combination of
            arguments itself.
        """
        given = _given(type(self.pipe), self._text.inputs, self.arguments)
        if any(_given(type(self.pipe), self._text.rewriters, self.arguments).values()):
            return None
        if count < 2 or self._has_embeds() or not all(_one_per_prompt(value, count) for value in given.values()):
            return None
        return [self._prompt(_item(given, i)) for i in range(count)]

    def texts(self, count: int) -> list[PromptConditioning]:
        """Return the conditioning of each prompt of a call whose prompts must be one text each.

        Raises:
            InvalidArgument: They are embeddings, may be changed by a callback, or differ between the text encoders.
        """
        given = _given(type(self.pipe), self._text.inputs, self.arguments)
        others = [name for name in self._text.prompts if name != "prompt" and given[name] is not None]
        if self._has_embeds():
            others = ["embeddings, or a callback that may change them"]
        if others:
            rule = "must be one text for all encoders, so that its tokens can be nulled"
            raise InvalidArgument("prompt", rule, remedy=f"leave out {others[0]}")
        return [self._prompt(_item(given, i)) for i in range(count)]

    def _has_embeds(self) -> bool:
        callback = self.arguments.get("callback_on_step_end")
        changed = getattr(callback, "tensor_inputs", self.arguments.get("callback_on_step_end_tensor_inputs")) or ()
        names = [name for name in self._text.embeds if name]
        names += [f"negative_{name}" for name in names]
        return any(self.arguments.get(name) is not None or (callback and name in changed) for name in names)

    def _concept(self, text: str) -> Conditioning:
        if text not in self._known:
            encoders = [part for name, part in self.pipe.components.items() if name.startswith("text_encoder")]
            if all(part is None for part in encoders):
                rule = "must have its text encoder, to encode concepts"
                raise InvalidArgument(
                    "pipe", rule, remedy=f"load the pipeline with it, or give {text!r} in {{concept_embeds}}"
                )
            self._known[text] = self._encode({**dict.fromkeys(self._text.prompts), "prompt": text}, negative=False)[0]
        return self._known[text]

    def _prompt(self, item: Mapping[str, Any]) -> PromptConditioning:
        if self._text.together and self._guided:
            return PromptConditioning(*self._encode(item, negative=True))
        prompts = {name: item[name] for name in self._text.prompts}
        cond = self._encode(prompts, negative=False)[0]
        if not (self._guided and self._text.negatives):  # such a pipeline makes no call that would ask for it
            return PromptConditioning(cond, cond)
        negatives = {name.removeprefix("negative_"): item[name] for name in self._text.negatives}
        return PromptConditioning(cond, self._encode(negatives, negative=False)[0])

    def _encode(self, inputs: Mapping[str, Any], *, negative: bool) -> list[Conditioning]:
        """Return the conditioning of the prompt and, of a pipeline that encodes both, of the negative prompt."""
        guided = {"do_classifier_free_guidance": negative} if self._text.together else {}
        given = {name: value for name, value in inputs.items() if value is not None or name in self._text.prompts}
        with torch.no_grad():
            embeds = self.pipe.encode_prompt(**given, **self._options, **guided)
        named = dict(zip(self._text.embeds, embeds, strict=True))
        names = self._text.conditioning
        found: list[Conditioning] = [{argument: named[name] for name, argument in names.items()}]
        if negative:
            found.append({argument: named[f"negative_{name}"] for name, argument in names.items()})
        return found


def _given_conditioning(text: PromptEncodingSpec, concept: str, embeds: Any) -> Conditioning:
    """Return the conditioning of a concept that is given encoded.

    Args:
        text: How the pipeline takes texts.
        concept: Its text.
        embeds: What `encode_prompt` makes of it, one row each, by the names of the pipeline's arguments; where there is
            one such name, the tensor alone will do.

    Raises:
        InvalidArgument: A name is missing.
    """
    names = text.conditioning
    found: Mapping[str, Any] = {next(iter(names)): embeds} if isinstance(embeds, Tensor) else embeds
    if missing := [name for name in names if name not in found]:
        rule = f"must hold {', '.join(names)} of each concept, as encode_prompt returns them"
        raise InvalidArgument("concept_embeds", rule, remedy=f"add {', '.join(missing)} of {concept!r}")
    return {argument: found[name] for name, argument in names.items()}


def call_options(pipe: Any, text: PromptEncodingSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pipeline call says about text encoding."""
    return _given(type(pipe), text.options, arguments)


def readers_of(pipe: Any, text: PromptEncodingSpec, arguments: Mapping[str, Any]) -> list[TextReader]:
    """Return the text encoders of a pipeline as far as they read in a call with these arguments."""
    return text_readers(pipe, text.tokenizers, {**text.fixed, **call_options(pipe, text, arguments)})


def checkpoint_readers(folder: Path, pipeline_class: str, text: PromptEncodingSpec) -> list[TextReader]:
    """Return the text encoders of a checkpoint as far as they read in a call without options; loads no weights.

    Args:
        folder: The checkpoint's, with model_index.json.
        pipeline_class: The diffusers class it loads as.
        text: How that class takes texts.
    """
    index = read_json(folder / "model_index.json")
    found: dict[str, Any] = {}
    for name in text.tokenizers:
        encoder, tokenizer = index.get(name.replace("tokenizer", "text_encoder")), index.get(name)
        if _names_class(tokenizer) and (encoder is None or _names_class(encoder)) and (folder / name).is_dir():
            kind = getattr(import_module("transformers"), tokenizer[1], None)
            found.update({} if kind is None else {name: kind.from_pretrained(folder / name)})
    options = _given(getattr(import_module("diffusers"), pipeline_class), text.options, {})
    return text_readers(SimpleNamespace(**found), text.tokenizers, {**text.fixed, **options})


def _names_class(entry: Any) -> bool:
    """Whether an entry of model_index.json is [library, class]."""
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry)


def with_own_lists(text: PromptEncodingSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with copies of their lists of texts: some pipelines write into them."""
    lists = {name: list(arguments[name]) for name in text.inputs if isinstance(arguments.get(name), list)}
    return {**arguments, **lists}


def with_negative(text: PromptEncodingSpec, arguments: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the arguments with a negative prompt where the pipeline would not guide without one.

    Args:
        text: How the pipeline takes texts.
        arguments: Of the call.
        count: Number of prompts.
    """
    given = any(arguments.get(name) is not None for name in ("negative_prompt", f"negative_{text.embeds[0]}"))
    if text.negative is None or given:
        return arguments
    single = isinstance(arguments.get("prompt"), str)
    return {**arguments, "negative_prompt": text.negative if single else [text.negative] * count}


def _given(kind: type, names: Sequence[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a call, with the defaults of the pipeline's class."""
    defaults = inspect.signature(kind.__call__).parameters
    return {name: arguments.get(name, defaults[name].default) for name in names}


def _item(given: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return the inputs of one prompt."""
    return {name: value[index] if isinstance(value, list) else value for name, value in given.items()}


def _one_per_prompt(value: Any, count: int) -> bool:
    return not isinstance(value, list | Tensor) or len(value) == count
