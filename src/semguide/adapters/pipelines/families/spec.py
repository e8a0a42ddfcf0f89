"""What differs between the pipelines that can be steered: the columns of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from semguide.guidance.checks import plain
from semguide.guidance.rule import Branches, step_evaluations

Mechanism = Literal["concat", "sequential", "embedded", "conditional"]
"""How a pipeline evaluates its denoiser at a step, as in `PipelineSpec.mechanism`."""


def branches_of(mechanism: Mechanism) -> Branches:
    """Return what a mechanism evaluates for an image at each step."""
    return mechanism if mechanism in ("embedded", "conditional") else "both"


@dataclass(frozen=True)
class PromptEncodingSpec:
    """How a pipeline turns text into conditioning.

    Attributes:
        inputs: The pipeline's prompt arguments: text or list of texts.
        embeds: What `encode_prompt` returns, in order, by the name of the pipeline argument that takes it; "" for what
            no argument takes.
        conditioning: The denoiser argument, at any depth, that each prompt embedding reaches.
        options: Arguments of the pipeline that it hands on to `encode_prompt`.
        fixed: Arguments with which `encode_prompt` encodes one text for one image.
        lora: The pipeline argument whose entry "scale" is the `lora_scale` of `encode_prompt`; None if it has none.
        together: Whether one call of `encode_prompt` encodes the prompt and the negative prompt.
        negative: The negative prompt to give where the caller gives none and the pipeline would not guide without.
        rewriters: Arguments with which the pipeline rewrites prompts before it encodes them.
        tokenizers: The pipeline's tokenizers -> where each cuts a text: the argument of `encode_prompt` that says after
            how many tokens, that number, or "" for the tokenizer's own limit.
        segments: The pipeline's tokenizers whose tokens, padded, stand one after another in the first of the
            conditioning; empty where that is not known, so that no token can be nulled.
    """

    inputs: tuple[str, ...] = ("prompt", "negative_prompt")
    embeds: tuple[str, ...] = ("prompt_embeds", "negative_prompt_embeds")
    conditioning: Mapping[str, str] = field(default_factory=lambda: {"prompt_embeds": "encoder_hidden_states"})
    options: tuple[str, ...] = ("max_sequence_length",)
    fixed: Mapping[str, Any] = field(default_factory=lambda: {"num_images_per_prompt": 1})
    lora: str | None = None
    together: bool = True
    negative: str | None = None
    rewriters: tuple[str, ...] = ()
    tokenizers: Mapping[str, str | int] = field(default_factory=lambda: {"tokenizer": "max_sequence_length"})
    segments: tuple[str, ...] = ()

    @property
    def prompts(self) -> tuple[str, ...]:
        """The inputs that are not negative."""
        return tuple(name for name in self.inputs if not name.startswith("negative"))

    @property
    def negatives(self) -> tuple[str, ...]:
        """The inputs that are negative."""
        return tuple(name for name in self.inputs if name.startswith("negative"))


MASKED = PromptEncodingSpec(
    embeds=("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask"),
    conditioning={"prompt_embeds": "encoder_hidden_states", "prompt_attention_mask": "encoder_attention_mask"},
)
"""Embeddings that come with a mask."""

TINY = "tiny, random weights"
"""What most families are tested on."""

CONTROL = "The ControlNet hears the prompt only; its residuals are reused for the concepts."
"""What to know of a ControlNet beside the denoiser."""


@dataclass(frozen=True)
class Scale:
    """Where the scale w of u + w (c - u) is.

    Attributes:
        arguments: The pipeline argument that is the scale, one per denoiser. The later ones default to the first.
        required: Whether the caller must give it to be guided, because the pipeline alone would not guide.
        per_step: Whether the pipeline reads `pipe.guidance_scale` anew at each step, so that callbacks may change it.
        shift: What is added to the argument to make w: 1 where the pipeline computes c + argument (c - u).
        disabled_at: The argument at and below which the pipeline makes no unconditional prediction; None where that is
            w = 1.
        dynamic_args: Arguments of the pipeline that change w between its denoiser and its guidance; they must be off.
        guiders: The pipeline's attributes that hold diffusers guiders: w is theirs, and no argument of the pipeline.
    """

    arguments: tuple[str, ...] = ("guidance_scale",)
    required: bool = False
    per_step: bool = False
    shift: float = 0.0
    disabled_at: float | None = None
    dynamic_args: tuple[str, ...] = ()
    guiders: tuple[str, ...] = ()

    @property
    def off(self) -> float:
        """The first argument at and below which the pipeline makes no unconditional prediction."""
        return 1.0 - self.shift if self.disabled_at is None else self.disabled_at

    @property
    def least(self) -> float:
        """The w above which the pipeline guides."""
        return self.off + self.shift

    def given(self, arguments: Mapping[str, Any]) -> bool:
        """Say whether a call gives it."""
        return arguments.get(self.arguments[0]) is not None

    def turned_off(self, arguments: Mapping[str, Any], default: float) -> bool:
        """Say whether a call makes no unconditional prediction; a pipeline whose scale is its guiders' always does.

        Args:
            arguments: Of the call.
            default: w where they give none.
        """
        if self.guiders:
            return False
        if not self.given(arguments):
            return self.required or default <= 1
        value = plain(arguments[self.arguments[0]])
        return isinstance(value, float | int) and value <= self.off


@dataclass(frozen=True)
class BatchLayout:
    """Where the rows of a denoiser call are, one per prediction: on the first dimension of tensors, with exceptions.

    Attributes:
        dims: Arguments with the rows on another dimension, and which.
        lists: Arguments that are lists with an entry per row.
        shared: Arguments without rows.
        tails: Arguments, tensors (row, text token and then image token), that for a concept keep the part of the image.
        frames: Arguments with a row for each frame of a prediction, those of one prediction side by side.
        places: Arguments that number the tokens of a text from 0, and the conditioning whose tokens these are.
    """

    dims: Mapping[str, int] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """A checkpoint of a known family that cannot be steered.

    Attributes:
        component: The pipeline's attribute whose config tells, "" for the pipeline itself.
        key: The entry of the config that tells when it is set and true.
        name: What such checkpoints are called, for the table.
        reason: Why, and what to do.
    """

    component: str
    key: str
    name: str
    reason: str


@dataclass(frozen=True)
class PipelineSpec:
    """How some pipelines do classifier-free guidance.

    Attributes:
        family: The family's name.
        pipelines: Class names.
        mechanism: "concat" evaluates e(0) and e(P) in one denoiser call with rows for both, "sequential" in two calls,
            the prompt's first; "embedded" has one call a step, of a denoiser that takes the guidance scale as an input;
            "conditional" has one call a step and no guidance, and so has every other where its scale is turned off.
        embedded: Whether denoisers that take the guidance scale as an input (`guidance_embeds`) are steered in their
            one call a step, unless the caller asks for classifier-free guidance by its scale.
        distilled: The entry of the denoiser's config that is set where it was distilled to few steps, with the scale an
            input; such a checkpoint is "conditional".
        denoisers: The pipeline's attributes that hold them.
        positional: Names of the denoiser's first parameters, the noisy sample first.
        text: How text becomes conditioning.
        scale: Where w is.
        rows: Where the rows of a call are.
        cond_first: Whether the rows of "concat" are [cond; uncond].
        extra: Denoiser arguments that mark calls beside the guidance; they are let through.
        learned_sigma: Whether a second half of the channels is a variance; it is left as it is.
        channel_dim: The dimension of a video's prediction, counted from the last, that is its channels, where that is
            not the first; rules get (channel, frame, height, width).
        sign: -1 where the pipeline negates the prediction before it steps.
        per_prompt: The pipeline argument that is the number of images per prompt; empty where it makes one.
        limits: Checkpoints that are refused.
        notes: What a user should know, for the table.
        tested: On what, for the table.
    """

    family: str
    pipelines: tuple[str, ...]
    mechanism: Mechanism
    positional: tuple[str, ...]
    denoisers: tuple[str, ...] = ("transformer",)
    text: PromptEncodingSpec = field(default_factory=PromptEncodingSpec)
    scale: Scale = field(default_factory=Scale)
    rows: BatchLayout = field(default_factory=BatchLayout)
    cond_first: bool = False
    embedded: bool = False
    distilled: str = ""
    extra: tuple[str, ...] = ()
    learned_sigma: bool = False
    channel_dim: int = -4
    sign: float = 1.0
    per_prompt: str = "num_images_per_prompt"
    limits: tuple[Limit, ...] = ()
    notes: str = ""
    tested: str = TINY

    @property
    def cost(self) -> str:
        """Denoiser evaluations and calls of a step; in brackets, what K concepts add at steps that use them."""
        lone = f"{step_evaluations(0, 'embedded')} (+ 1 + K)"
        if self.mechanism == "embedded":
            return f"{lone} evaluations in 1 (+ 1) calls"
        if self.mechanism == "conditional":
            return f"{step_evaluations(0, 'conditional')} (+ K) evaluations in 1 (+ 1) calls"
        plain = f"{step_evaluations(0)} (+ K) evaluations in {1 if self.mechanism == 'concat' else 2} (+ 1) calls"
        return plain + (f"; guidance embedded: {lone} in 1 (+ 1)" if self.embedded else "")


@dataclass(frozen=True)
class GuiderFamily:
    """Pipelines whose guidance is a guider, which `SemanticGuidance` takes the place of.

    Attributes:
        family: The family's name.
        pipelines: Class names: of the blocks of modular pipelines, or of ordinary pipelines.
        tokenizers: As in `PromptEncodingSpec`.
        notes: What a user should know, for the table.
        tested: On what, for the table.
    """

    family: str
    pipelines: tuple[str, ...]
    notes: str = ""
    tested: str = TINY
    tokenizers: Mapping[str, str | int] = field(default_factory=lambda: {"tokenizer": "max_sequence_length"})


@dataclass(frozen=True)
class Refused:
    """Pipelines that cannot be steered.

    Attributes:
        family: The family's name.
        pipelines: Class names.
        reason: Why, as the end of a sentence that begins with the class name, and what to do.
    """

    family: str
    pipelines: tuple[str, ...]
    reason: str
