"""A run: everything that determines its images, to and from JSON. No torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from semguide.concepts.edits import Edits
from semguide.concepts.edits import from_json as edits_from_json
from semguide.errors import InvalidArgument
from semguide.files import digest
from semguide.models import LoadOptions
from semguide.types import Concept


@dataclass(frozen=True, slots=True)
class Method:
    """A method and its parameters except the guidance scale, which all methods of a run share.

    Attributes:
        name: A name or alias of `semguide.guidance.METHODS`, as the call had it.
        parameters: All parameters, defaults included, so that repeats do not depend on defaults.
        num_inference_steps: Its own number of steps, where a run has a budget; None: the run's.
    """

    name: str
    parameters: dict[str, Any]
    num_inference_steps: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the method as JSON values."""
        own = {} if self.num_inference_steps is None else {"num_inference_steps": self.num_inference_steps}
        return {"name": self.name, "parameters": self.parameters, **own}


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters of a run.

    Attributes:
        num_inference_steps: Denoising steps, 1 to 1000; those of the main method where each has its own.
        guidance_scale: Guidance scale; 1: no guidance.
        height: Pixels.
        width: Pixels.
        num_frames: Frames of a video; None: pictures, or as many as the checkpoint says.
    """

    num_inference_steps: int
    guidance_scale: float
    height: int
    width: int
    num_frames: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run: one image per method and seed.

    Attributes:
        prompt: The prompt.
        negative_prompt: The negative prompt, "" for none.
        concepts: The concepts; empty if the prompt has none.
        methods: The methods compared with, then the main one.
        seeds: Seeds of the images' generators.
        sampling: Sampling parameters.
        model: Embedded name, folder or hub id.
        device: torch device.
        full_trace: Whether concepts are evaluated at every step, even where the rule does not need them.
        loading: How the model is loaded; its dtype is not "auto".
        max_concepts: How many of those found in the prompt were to be kept; None where they were given by hand, and in
            files of 0.1.0.
        retries: How many further seeds are tried for an image whose first steps promise too little.
        evaluations: Denoiser evaluations that an image may take without retries, of which the steps of the methods and
            the number of concepts come; None: the steps were given.
        edits: What the images are to show more of, or less of.
    """

    prompt: str
    negative_prompt: str
    concepts: tuple[Concept, ...]
    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    sampling: Sampling
    model: str
    device: str
    full_trace: bool = False
    loading: LoadOptions = field(default_factory=LoadOptions)
    max_concepts: int | None = None
    retries: int = 0
    evaluations: int | None = None
    edits: Edits = field(default_factory=Edits)

    def to_json(self) -> dict[str, Any]:
        """Return the run as JSON values, which `from_json` reads; without what is at its default since 0.1.0."""
        values = {
            **asdict(self),
            "concepts": [concept.to_json() for concept in self.concepts],
            "methods": [method.to_json() for method in self.methods],
        }
        if self.loading == LoadOptions():
            del values["loading"]
        if self.max_concepts is None:
            del values["max_concepts"]
        if not self.retries:
            del values["retries"]
        if self.evaluations is None:
            del values["evaluations"]
        if not self.edits:
            del values["edits"]
        if self.sampling.num_frames is None:
            del values["sampling"]["num_frames"]
        return json.loads(json.dumps(values))

    @property
    def digest(self) -> str:
        """Hash of the run, 64 hex digits."""
        return digest(self.to_json())

    def alone(self, method: Method) -> Run:
        """Return the run of one of its methods, with that method's number of steps as the run's."""
        steps = method.num_inference_steps or self.sampling.num_inference_steps
        sampling = replace(self.sampling, num_inference_steps=steps)
        return replace(self, methods=(replace(method, num_inference_steps=None),), sampling=sampling)

    def image_parameters(self, method: Method, seed: int) -> dict[str, Any]:
        """Return what an image depends on as JSON values: the run with one method, its steps and one seed."""
        single = replace(self.alone(method), seeds=(seed,), max_concepts=None, evaluations=None).to_json()
        return {"method": single.pop("methods")[0], "seed": single.pop("seeds")[0], **single}


_NEWER = {"loading": {}, "max_concepts": None, "retries": 0, "evaluations": None, "edits": None}
"""What a run.json of an older version lacks."""


def from_json(data: Any) -> Run:
    """Read a run from JSON values; `check_run` checks its ranges.

    Raises:
        InvalidArgument: A key is missing, unknown or of the wrong type.
    """
    whole = {**_NEWER, **data} if isinstance(data, dict) else data
    fields = _object(whole, "run", set(Run.__dataclass_fields__))
    sampling = fields["sampling"]
    sampling = {"num_frames": None, **sampling} if isinstance(sampling, dict) else sampling
    sampling = _object(sampling, "run.sampling", set(Sampling.__dataclass_fields__))
    return Run(
        prompt=_typed(fields, "prompt", str),
        negative_prompt=_typed(fields, "negative_prompt", str),
        concepts=tuple(_concept(item) for item in _typed(fields, "concepts", list)),
        methods=tuple(_method(item) for item in _typed(fields, "methods", list)),
        seeds=tuple(_typed({"seeds": seed}, "seeds", int) for seed in _typed(fields, "seeds", list)),
        sampling=Sampling(
            num_inference_steps=_typed(sampling, "num_inference_steps", int, "run.sampling"),
            guidance_scale=float(_typed(sampling, "guidance_scale", (int, float), "run.sampling")),
            height=_typed(sampling, "height", int, "run.sampling"),
            width=_typed(sampling, "width", int, "run.sampling"),
            num_frames=None if sampling["num_frames"] is None else _typed(sampling, "num_frames", int, "run.sampling"),
        ),
        model=_typed(fields, "model", str),
        device=_typed(fields, "device", str),
        full_trace=_typed(fields, "full_trace", bool),
        loading=LoadOptions.from_json(fields["loading"]).resolved,
        max_concepts=None if fields["max_concepts"] is None else _typed(fields, "max_concepts", int),
        retries=_typed(fields, "retries", int),
        evaluations=None if fields["evaluations"] is None else _typed(fields, "evaluations", int),
        edits=Edits() if fields["edits"] is None else edits_from_json(fields["edits"]),
    )


def _method(data: Any) -> Method:
    where = "run.methods"
    whole = {"num_inference_steps": None, **data} if isinstance(data, dict) else data
    fields = _object(whole, where, set(Method.__dataclass_fields__))
    own = fields["num_inference_steps"]
    steps = None if own is None else _typed(fields, "num_inference_steps", int, where)
    return Method(_typed(fields, "name", str, where), _typed(fields, "parameters", dict, where), steps)


def _concept(data: Any) -> Concept:
    where = "run.concepts"
    whole = {"part_of": None, **data} if isinstance(data, dict) else data  # runs of 0.1.0 have no such key
    fields = _object(whole, where, set(Concept.__dataclass_fields__))
    part_of = fields["part_of"] if fields["part_of"] is None else _typed(fields, "part_of", str, where)
    span = fields["span"] if fields["span"] is None else tuple(_typed(fields, "span", list, where))
    count = fields["count"] if fields["count"] is None else _typed(fields, "count", int, where)
    if span is not None and (len(span) != 2 or not all(type(end) is int for end in span)):
        raise InvalidArgument("run.concepts.span", "must be two offsets or null", list(span), _REMEDY)
    attributes = _typed(fields, "attributes", list, where)
    if not all(isinstance(item, str) for item in attributes):
        raise InvalidArgument(f"{where}.attributes", "must be texts", attributes, _REMEDY)
    text, head = _typed(fields, "text", str, where), _typed(fields, "head", str, where)
    return Concept(text, span, head, tuple(attributes), count, part_of)


_REMEDY = "give the run.json as semguide wrote it"


def _object(data: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != keys:
        raise InvalidArgument(where, f"must have exactly {sorted(keys)}", data, _REMEDY)
    return data


def _typed(fields: dict[str, Any], key: str, kind: Any, where: str = "run") -> Any:
    value = fields[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        name = getattr(kind, "__name__", "number")
        raise InvalidArgument(f"{where}.{key}", f"must be a {name}", value, _REMEDY)
    return value
