"""The wire format of requests. docs/serve.md shows it with examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from semguide.concepts.edits import LARGEST_SCALE, MOST_EDITS
from semguide.runs.methods import DEFAULT_METHOD

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Value = Number | Whole | bool | Annotated[str, StringConstraints(max_length=64)] | None
Parameters = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)], Value], Field(max_length=32)
]
SEED = 2**63 - 1


class Strict(BaseModel):
    """A part of a request; a field that is not known is an error, as a typing mistake would pass unseen otherwise."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MethodChoice(Strict):
    """A method and its parameters."""

    name: Name = Field(description="A method of `GET /v1/methods`.", examples=["sgt-v2"])
    parameters: Parameters = Field(default_factory=dict, description="Its parameters; those left out: the defaults.")


class EditChoice(Strict):
    """More of something in a picture, or less of it."""

    text: str = Field(min_length=1, description="What.", examples=["a hat"])
    direction: Literal["more", "less"] = Field(default="more", description="Which.")
    scale: Number = Field(default=5.0, gt=0, le=LARGEST_SCALE, description="Factor of its guidance.")
    threshold: Number = Field(default=0.9, ge=0, le=1, description="The part of the picture that stays as it is.")
    start: Number = Field(default=0.2, ge=0, lt=1, description="The part of the steps before it begins.")
    stop: Number = Field(default=1.0, gt=0, le=1, description="The part of the steps at which it ends.")
    weight: Number = Field(default=1.0, gt=0, le=LARGEST_SCALE, description="Its weight beside others.")


class Options(Strict):
    """What the OpenAI fields have no words for."""

    method: Name = Field(default=DEFAULT_METHOD, description="How to guide: a method of `GET /v1/methods`.")
    parameters: Parameters = Field(default_factory=dict, description="Its parameters; those left out: the defaults.")
    compare: list[Name | MethodChoice] = Field(
        default_factory=list, max_length=16, description="Methods to show beside it, from the same seeds."
    )
    concepts: list[str] | None = Field(
        default=None, max_length=64, description="Concepts to keep; null: split the prompt; []: none (plain guidance)."
    )
    max_concepts: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Most concepts found in the prompt to keep; null: 8, or the server's limit.",
    )
    negative_prompt: str = Field(default="", description="What the picture should not show.")
    edits: list[EditChoice] = Field(
        default_factory=list, max_length=MOST_EDITS, description="What to show more of, or less of, than it would."
    )
    seed: int = Field(default=0, ge=0, le=SEED, description="Seed of the first image; the next ones count up.")
    seeds: list[Annotated[int, Field(ge=0, le=SEED)]] | None = Field(
        default=None, min_length=1, max_length=10_000, description="One image each, in the place of `seed` and `n`."
    )
    retries: int = Field(
        default=0, ge=0, le=100, description="Seeds to try besides, for an image whose first steps promise too little."
    )
    steps: int | None = Field(default=None, ge=1, le=1000, description="Denoising steps; null: the model's.")
    evaluations: Annotated[int, Field(ge=1, le=100_000)] | Literal["plain"] | None = Field(
        default=None,
        description="Denoiser evaluations of an image, in the place of `steps`: as many steps of each method as fit; "
        "`plain`: what plain guidance takes at the model's steps.",
    )
    guidance_scale: Number | None = Field(default=None, ge=1, le=100, description="1: no guidance; null: the model's.")
    scheduler: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="Sampler: one of the model's `schedulers`; null: the model's."
    )
    num_frames: int | None = Field(
        default=None, ge=1, le=1000, description="Frames of a video; null: the model's. Pictures have none."
    )
    full_trace: bool = Field(default=False, description="Evaluate the concepts at every step, also where not needed.")


class ImagesRequest(BaseModel):
    """A request of OpenAI's Images API. Fields of it that mean nothing here are taken and ignored."""

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        json_schema_extra={
            "example": {
                "prompt": "a red car and a blue apple",
                "n": 2,
                "semguide": {"seed": 0},
            }
        },
    )

    prompt: str = Field(min_length=1, description="What the picture should show.")
    model: str | None = Field(default=None, max_length=200, description="A model of `GET /v1/models`; null: the first.")
    n: int | None = Field(default=1, ge=1, le=10_000, description="Images per method; null: 1.")
    size: str | None = Field(
        default="auto", max_length=32, description="WIDTHxHEIGHT in pixels, or `auto`: the model's."
    )
    response_format: Literal["b64_json", "url"] | None = Field(
        "b64_json", description="`url`: addresses at this server, valid while the job is kept."
    )
    output_format: Literal["png"] | None = Field(default="png", description="PNG only.")
    stream: Literal[False] | None = Field(default=False, description="Not here: `POST /v1/jobs` has events.")
    semguide: Options | None = Field(default=None, description="What is special to semguide; null: all defaults.")


class JobRequest(Strict):
    """A request for a job: the same, without what is OpenAI's alone."""

    prompt: str = Field(min_length=1, description="What the picture should show.")
    model: str | None = Field(default=None, max_length=200, description="A model of `GET /v1/models`; null: the first.")
    n: int | None = Field(default=1, ge=1, le=10_000, description="Images per method; null: 1.")
    size: str | None = Field(
        default="auto", max_length=32, description="WIDTHxHEIGHT in pixels, or `auto`: the model's."
    )
    semguide: Options | None = Field(default=None, description="Methods, concepts, seeds; null: all defaults.")

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {"prompt": "a red car and a blue apple", "n": 2, "semguide": {"compare": ["cfg"], "steps": 20}}
        },
    )


class ConceptsRequest(Strict):
    """A prompt to split."""

    prompt: str = Field(min_length=1, description="The prompt.", examples=["a red book and a yellow vase"])
    model: str | None = Field(default=None, max_length=200, description="Whose text encoder reads it; null: the first.")
    max_concepts: int | None = Field(default=None, ge=1, le=64, description="As of a job.")
