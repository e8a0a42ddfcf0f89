"""Requests to checked runs, within the server's limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from semguide.concepts.budget import MAX_CONCEPTS, check_evaluations
from semguide.concepts.edits import Edit, Edits
from semguide.errors import InvalidArgument
from semguide.runs import checks
from semguide.runs.request import Plan, Request, plan_run_for_model
from semguide.runs.run import Run
from semguide.server.request_schemas import ImagesRequest, JobRequest, MethodChoice, Options
from semguide.server.served_models import ServedModel
from semguide.server.settings import Limits

AUTO = "auto"


class UnknownModel(InvalidArgument):
    """The request names a model that this server does not have."""


def find_served(models: Mapping[str, ServedModel], name: str | None) -> ServedModel:
    """Return a model by its public name; None: the first.

    Raises:
        UnknownModel: There is none of that name.
    """
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise UnknownModel("model", f"must be one of {', '.join(models)}", name, "GET /v1/models lists them")
    return models[name]


def plan_job(body: ImagesRequest | JobRequest, model: ServedModel, device: str, limits: Limits) -> Plan:
    """Resolve and check a request.

    Args:
        body: What the client sent.
        model: The model it names.
        device: torch device that will make the images.
        limits: What a request may ask for.

    Raises:
        InvalidArgument: A value breaks a rule or a limit.
    """
    options = body.semguide or Options()
    count = 1 if body.n is None else body.n
    _check_texts(body.prompt, options, limits)
    compared = [_choice(entry) for entry in options.compare]
    _check_amounts(options, count, len({c.name for c in compared} | {options.method}), limits)
    width, height = parse_size(body.size, model, limits)
    planned = plan_run_for_model(
        Request(
            prompt=body.prompt,
            method=options.method,
            compare=tuple(choice.name for choice in compared),
            concepts=None if options.concepts is None else tuple(options.concepts),
            negative_prompt=options.negative_prompt,
            seed=options.seed,
            num_images=count,
            num_inference_steps=options.steps,
            guidance_scale=options.guidance_scale,
            height=height,
            width=width,
            num_frames=options.num_frames,
            device=device,
            settings=_settings([*compared, MethodChoice(name=options.method, parameters=options.parameters)]),
            full_trace=options.full_trace,
            loading=model.loading_with(options.scheduler),
            max_concepts=most_concepts(options.max_concepts, limits),
            retries=options.retries,
            evaluations=options.evaluations,
            edits=Edits(tuple(Edit(**edit.model_dump()) for edit in options.edits)),
        ),
        model.description,
        model.readers,
    )
    run = planned.run
    if options.seeds is not None:
        checks.check_seeds(options.seeds)
        run = replace(run, seeds=tuple(options.seeds))
    _check_steps(run, limits)
    _check("num_frames", run.sampling.num_frames or 1, limits.frames, "ask for fewer")
    return replace(planned, run=run)


def most_concepts(asked: int | None, limits: Limits) -> int:
    """Return how many of the concepts found in a prompt are kept; None asks for the default.

    Raises:
        InvalidArgument: More are asked for than the server's limit.
    """
    if asked is None:
        return min(MAX_CONCEPTS, limits.concepts)
    _check("max_concepts", asked, limits.concepts, "ask for fewer")
    return asked


def parse_size(size: str | None, model: ServedModel, limits: Limits) -> tuple[int, int]:
    """Read WIDTHxHEIGHT; None and "auto" are the model's own.

    Raises:
        InvalidArgument: It is no size, or larger than the limit.
    """
    if size is None or size == AUTO:
        width, height = model.description.width, model.description.height
    else:
        found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", size)
        if found is None:
            raise InvalidArgument("size", "must be WIDTHxHEIGHT such as 512x512, or auto", size, "try auto")
        width, height = int(found[1]), int(found[2])
    for name, value in (("width", width), ("height", height)):
        _check(name, value, limits.side, "ask for a smaller picture", "pixels")
        if value < 1:
            raise InvalidArgument(name, "must be at least 1", value, "give auto")
    return width, height


def _choice(entry: str | MethodChoice) -> MethodChoice:
    return MethodChoice(name=entry) if isinstance(entry, str) else entry


def _settings(choices: list[MethodChoice]) -> dict[str, dict[str, Any]]:
    """Return the parameters by method name; a method named twice has those of both."""
    settings: dict[str, dict[str, Any]] = {}
    for choice in choices:
        settings.setdefault(choice.name, {}).update(choice.parameters)
    return settings


def _check_texts(prompt: str, options: Options, limits: Limits) -> None:
    concepts = options.concepts or []
    _check("prompt", len(prompt), limits.prompt_length, "shorten it", "characters")
    checks.check_prompt(prompt)
    _check("negative_prompt", len(options.negative_prompt), limits.prompt_length, "shorten it", "characters")
    _check("concepts", len(concepts), limits.concepts, "leave some out")
    for concept in concepts:
        _check("concepts", len(concept), limits.concept_length, "shorten it", "characters each")
    _check("edits", len(options.edits), limits.concepts, "leave some out")
    for edit in options.edits:
        _check("edits", len(edit.text), limits.concept_length, "shorten it", "characters each")
    for name, text in (("negative_prompt", options.negative_prompt), *(("concepts", text) for text in concepts)):
        checks.check_text(name, text)


def _check_amounts(options: Options, count: int, methods: int, limits: Limits) -> None:
    seeds = count if options.seeds is None else len(options.seeds)
    if options.seeds is not None and count not in (1, seeds):
        rule = f"must be the number of {{seeds}} ({seeds}) where both are given"
        raise InvalidArgument("num_images", rule, count, "leave it out")
    checks.check_seeds({options.seed, options.seed + count - 1})
    name = "num_images" if options.seeds is None else "seeds"
    _check(name, seeds * methods, limits.images, "ask for fewer", "images, with all methods,")
    _check("retries", options.retries, limits.retries, "ask for fewer")
    if options.evaluations is not None:
        check_evaluations(options.evaluations, options.steps)


def _check_steps(run: Run, limits: Limits) -> None:
    steps = max(run.alone(method).sampling.num_inference_steps for method in run.methods)
    if run.evaluations is None:
        _check("num_inference_steps", steps, limits.steps, "ask for fewer")
    elif steps > limits.steps:
        rule = f"must be those of at most {limits.steps} steps at this server, and are of {steps}"
        raise InvalidArgument("evaluations", rule, run.evaluations, "ask for fewer")


def _check(name: str, value: int, most: int, remedy: str, unit: str = "") -> None:
    if value > most:
        rule = f"must be at most {most} {unit} at this server" if unit else f"must be at most {most} at this server"
        raise InvalidArgument(name, rule, value, remedy)
