"""The wire format: what requests hold and answers look like. docs/serve.md shows it with examples."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    guidance_scale: Number | None = Field(default=None, gt=1, le=100, description="More than 1; null: the model's.")
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


class ConceptModel(BaseModel):
    """A concept of a prompt."""

    text: str = Field(description="What the text encoder reads.")
    span: tuple[int, int] | None = Field(description="Start and end offset in the prompt; null: not part of it.")
    head: str = Field(description="The head noun.")
    attributes: list[str] = Field(description="Adjectives and noun modifiers.")
    count: int | None = Field(description="How many; null where the prompt does not say.")
    part_of: str | None = Field(default=None, description="The text of the concept it is a part of; null: of none.")


class FoundConcept(ConceptModel):
    """A concept found in a prompt."""

    kept: bool = Field(description="Whether it would be steered: it is read, and within `max_concepts`.")


class ConceptsReply(BaseModel):
    """The concepts of a prompt, in its order; spans count Unicode code points."""

    prompt: str
    concepts: list[FoundConcept]
    note: str = Field(description="Why there is none, or what is left out and how to choose; empty: nothing to say.")


class TracePayload(BaseModel):
    """What the rule saw and did, by step and concept; null: not evaluated at that step."""

    concepts: list[str]
    similarity: list[list[float | None]]
    gate: list[list[float | None]]
    weight: list[list[float | None]]
    abstract: list[float | None] | None = Field(description="Of the abstract concept, by step; null: none.")


class Attempt(BaseModel):
    """A seed that was tried for an image."""

    seed: int
    score: float = Field(description="What its first steps promise, 0 to 1.")
    evaluations: int = Field(description="Denoiser evaluations: of its first steps if it was dropped, else of all.")
    kept: bool


class ImageReport(BaseModel):
    """How an image was made."""

    index: int = Field(description="Place in the job.")
    method: str
    seed: int
    evaluations: int = Field(description="Denoiser evaluations, those of all attempts.")
    attempts: list[Attempt] | None = Field(default=None, description="The seeds that were tried; null: its own alone.")
    seconds: float = Field(description="Wall-clock seconds.")
    alignment: list[float | None] | None = Field(
        description="Per concept the probability that it is right; null where it is not fitted for the model, or the "
        "early steps were not evaluated."
    )
    alignment_rank: int | None = Field(
        description="Place among the job's finished images of the method, 1 for the most likely right; null where the "
        "early steps were not evaluated."
    )
    pixels: str = Field(description="Hash of the pixels.")
    frames: int | None = Field(default=None, description="Frames of the video; null: it is a picture.")
    fps: int | None = Field(default=None, description="Frames a second; null: it is a picture.")
    trace: TracePayload


class ImagePayload(BaseModel):
    """One image of an Images reply."""

    b64_json: str | None = Field(default=None, description="The PNG file, animated where it is a video, base64.")
    url: str | None = Field(default=None, description="Where the PNG file is, with `response_format` `url`.")
    revised_prompt: str | None = Field(default=None, description="The prompt is never revised: null.")
    semguide: ImageReport


class RunReport(BaseModel):
    """What was run."""

    job: str = Field(description="Its id: `GET /v1/jobs/{id}/run.json` repeats it.")
    concepts: list[ConceptModel]
    warnings: list[str]
    seconds: float = Field(description="From request to answer, waiting included.")


class ImagesReply(BaseModel):
    """The answer to an Images request: the images by seed, and for each seed compared methods first."""

    created: int = Field(description="Unix time.")
    data: list[ImagePayload]
    output_format: Literal["png"] = "png"
    size: str
    semguide: RunReport


class ModelCard(BaseModel):
    """A model of this server."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Unix time at which the server loaded it.")
    owned_by: str
    semguide: dict[str, Any] = Field(
        description="Defaults and ranges: steps, guidance_scale, height, width, sizes; `scheduler` and the "
        "`schedulers` that a request may name; `examples`: prompts, and how many pictures each method gets right; "
        "`video`: `fps` and `num_frames` of a model that makes videos, else null."
    )


class ModelList(BaseModel):
    """The models named when the server was started."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class MethodCostModel(BaseModel):
    """What an image of a method will cost, in denoiser evaluations."""

    method: str
    steps: int
    evaluations: int = Field(description="Where its own seed is kept.")
    most: int = Field(description="Where all seeds are tried that `retries` allow.")


class CostReply(BaseModel):
    """What a job will cost, in denoiser evaluations of all its images."""

    images: int
    evaluations: int
    most: int
    methods: list[MethodCostModel] = Field(description="Of an image, by method.")
    warnings: list[str] = Field(description="Those that the job will begin with.")


class ImageStatus(BaseModel):
    """An image of a job, made or to be made."""

    index: int
    method: str
    seed: int
    status: Literal["queued", "running", "done"]
    step: int = Field(description="Finished steps.")
    steps: int = Field(description="All steps.")
    url: str | None = Field(description="Where the PNG file is; null until done.")
    report: ImageReport | None = Field(description="Null until done.")


class ErrorBody(BaseModel):
    """What went wrong, in OpenAI's form."""

    message: str = Field(description="Argument, rule, value received, remedy.")
    type: str
    param: str | None = None
    code: str | None = None


class ErrorReply(BaseModel):
    """An error in OpenAI's form."""

    error: ErrorBody


class JobReply(BaseModel):
    """A job and how far it is."""

    id: str = Field(description="Not to be guessed: who knows it may read the job.")
    object: Literal["job"] = "job"
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    position: int = Field(description="Jobs that wait before it; 0 for the next one, and once it runs.")
    created: int = Field(description="Unix time.")
    model: str
    prompt: str
    negative_prompt: str
    concepts: list[ConceptModel]
    methods: list[MethodChoice]
    seeds: list[int]
    retries: int
    edits: list[EditChoice] = Field(description="What is shown more of, or less of.")
    steps: int = Field(description="Of the main method.")
    evaluations: int | None = Field(description="Of an image, of which the steps come; null: the steps were given.")
    guidance_scale: float
    scheduler: str | None = Field(description="Null: the model's.")
    width: int
    height: int
    num_frames: int | None = Field(description="Frames of a video; null: pictures, or as many as the model says.")
    images: list[ImageStatus]
    warnings: list[str]
    error: ErrorBody | None
    events_url: str
    run_url: str


class ParameterCard(BaseModel):
    """A parameter of a method."""

    name: str
    type: Literal["number", "integer", "boolean", "string"]
    default: Any
    minimum: float | None = Field(description="Null: no bound.")
    maximum: float | None = Field(description="Null: no bound.")
    choices: list[str] | None = Field(description="Words: of a string all there are, else those beside numbers.")
    off: float | None = Field(description="The number that makes the method plain guidance; null: none does.")
    values: str = Field(description="What it takes, in words.")
    strength: bool = Field(description="Whether it says how much the method corrects.")
    meaning: str


class MethodCard(BaseModel):
    """A method."""

    name: str
    aliases: list[str] = Field(description="Other names that a request may give it.")
    summary: str
    parameters: list[ParameterCard]
    min_concepts: int = Field(description="With fewer it is plain guidance; 0: it uses none.")
    evaluations: dict[str, int] = Field(description="Denoiser evaluations of an example run.")
    citation: str = Field(description="BibTeX.")


class LimitsCard(BaseModel):
    """What one request may ask for."""

    prompt_length: int
    concepts: int
    concept_length: int
    images: int
    retries: int
    steps: int
    frames: int
    side: int
    queue: int


class DefaultsCard(BaseModel):
    """What is taken where a request, or the command, names nothing else; a model has further ones of its own."""

    method: str
    max_concepts: int
    images: int = Field(description="Of `semguide generate` and the page; a request's `n` is 1.")
    edit: dict[str, float] = Field(description="Of an edit: `scale`, `threshold`, `start`, `stop` and `weight`.")


class MethodsReply(BaseModel):
    """The methods of this server, its defaults and its limits."""

    methods: list[MethodCard]
    defaults: DefaultsCard
    limits: LimitsCard


class Health(BaseModel):
    """Whether the server works."""

    status: Literal["ok", "ready", "draining"]
