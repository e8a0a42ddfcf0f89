"""The wire format of replies. docs/serve.md shows it with examples."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from semguide.server.request_schemas import EditChoice, MethodChoice


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
