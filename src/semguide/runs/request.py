"""Requests, and their resolution to a checked run: names resolved, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semguide.concepts import BACKENDS, as_concepts, decompose
from semguide.concepts.budget import MAX_CONCEPTS, Choice, Evaluations, check_evaluations, check_max_concepts, choose
from semguide.concepts.edits import Edits
from semguide.errors import InvalidArgument, SemguideWarning
from semguide.models import (
    LoadOptions,
    ModelDescription,
    call_defaults,
    check_fit,
    check_machine,
    choose_device,
    default_model,
    describe,
    fetch,
    resolve,
)
from semguide.runs import checks
from semguide.runs.budget import within_budget
from semguide.runs.edits import check_edits
from semguide.runs.methods import DEFAULT_METHOD, build_rule, known_methods, values_of
from semguide.runs.plain import plain_once
from semguide.runs.run import Method, Run, Sampling
from semguide.runs.unguided import check_guidance, unguided_warnings
from semguide.runs.warnings import with_warnings

if TYPE_CHECKING:
    from semguide.adapters.inputs import TextReader
    from semguide.guidance import Rule

LARGEST_NUM_IMAGES = 10_000
ALWAYS_READ = 64
"""Bytes of a prompt that every text encoder reads: its window is 77 tokens or more, and a token is a byte or more."""


@dataclass(frozen=True)
class Request:
    """Arguments of a run; None stands for the default of the model or method.

    Attributes:
        prompt: The prompt.
        model: Embedded name, folder or hub id.
        method: The method.
        compare: Methods to compare with.
        concepts: Concepts given by hand; None: decompose the prompt.
        negative_prompt: The negative prompt, "" for none.
        seed: Seed of the first image; the next ones count up.
        seeds: One image each, in the place of `seed` and `num_images`; None: those.
        num_images: Images per method.
        num_inference_steps: Steps, 1 to 1000.
        guidance_scale: Guidance scale; 1: no guidance, for checkpoints of a few steps.
        height: Pixels.
        width: Pixels.
        num_frames: Frames of a video, 1 to 1000; of a model that makes pictures None.
        device: "auto" or a torch device.
        settings: Method parameters by method name.
        backend: Decomposition back end.
        full_trace: Evaluate the concepts at every step.
        loading: How the model is loaded.
        max_concepts: How many of the concepts found in the prompt to keep, >= 1.
        retries: How many further seeds to try for an image whose first steps promise too little, 0 to 100.
        evaluations: Denoiser evaluations that an image may take, in the place of `num_inference_steps`; "plain": as
            many as plain guidance takes at the model's own steps.
        edits: What the images are to show more of, or less of.
    """

    prompt: str
    model: str | None = None
    method: str = DEFAULT_METHOD
    compare: tuple[str, ...] = ()
    concepts: tuple[str, ...] | None = None
    negative_prompt: str = ""
    seed: int = 0
    num_images: int = 4
    seeds: tuple[int, ...] | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    height: int | None = None
    width: int | None = None
    num_frames: int | None = None
    device: str = "auto"
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    backend: str = "lexicon"
    full_trace: bool = False
    loading: LoadOptions = field(default_factory=LoadOptions)
    max_concepts: int = MAX_CONCEPTS
    retries: int = 0
    evaluations: Evaluations | None = None
    edits: Edits = field(default_factory=Edits)


@dataclass(frozen=True)
class Plan:
    """A checked run with its model and rules.

    Attributes:
        run: The run.
        model: Its model.
        rules: Rules of its methods, by method name.
        warnings: Warnings for the user.
    """

    run: Run
    model: ModelDescription
    rules: Mapping[str, Rule[Any]]
    warnings: tuple[SemguideWarning, ...] = ()


def plan_run(request: Request) -> Plan:
    """Resolve and check a request; checks that need no torch come first.

    Raises:
        InvalidArgument: An argument breaks a rule.
        UnsupportedPipeline: The model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    check_numbers(request)
    name = default_model() if request.model is None else request.model
    return plan_run_for_model(request, find_model(name, request.loading, request.device))


def plan_run_for_model(request: Request, model: ModelDescription, readers: Sequence[TextReader] | None = None) -> Plan:
    """Resolve and check a request for a model.

    Args:
        request: The request, after `check_numbers`.
        model: The model.
        readers: Its text encoders, as far as they read; None: found in its folder where the prompt is long.

    Raises:
        InvalidArgument: An argument breaks a rule.
    """
    num_frames = _num_frames(request, model)
    height, width = request.height or model.height, request.width or model.width
    checks.check_size(height, width, model)
    choice = _choice(request, model, readers)
    names = tuple(dict.fromkeys((*request.compare, request.method)))
    for name in names:
        checks.check_known("compare" if name in request.compare else "method", name, known_methods())
    for name in request.settings:
        checks.check_known("settings", name, names, "must be of a method of the run:")
    steps, scale = _steps_and_scale(request, model)
    rules = {name: build_rule(name, request.settings.get(name, {}), scale) for name in names}
    if request.retries and all(rule.is_noop for rule in rules.values()):
        rule = "must stand beside a method that steers: plain guidance does not look at the concepts"
        raise InvalidArgument("retries", rule, request.retries, "take another {method}")
    run = Run(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        concepts=choice.kept,
        methods=tuple(Method(name, values_of(rule)) for name, rule in rules.items()),
        seeds=request.seeds or tuple(range(request.seed, request.seed + request.num_images)),
        sampling=Sampling(steps, scale, height, width, num_frames),
        model=_portable(model),
        device=choose_device(request.device),
        full_trace=request.full_trace,
        loading=request.loading.resolved,
        max_concepts=request.max_concepts if request.concepts is None else None,
        retries=request.retries,
        edits=request.edits,
    )
    _check_together(run, rules, model)
    given_up: Sequence[SemguideWarning] = ()
    if request.evaluations is not None:
        run, given_up = within_budget(run, rules, model, request.evaluations)
    idle: Sequence[SemguideWarning] = ()
    if run.concepts:
        run, rules, idle = plain_once(run, rules)
    run, rules, told = with_warnings(run, rules, None if request.concepts is not None else choice)
    return Plan(run, model, rules, (*idle, *told, *unguided_warnings(run, model), *given_up))


def check_run(run: Run) -> Plan:
    """Check a run that was read from a file.

    Raises:
        InvalidArgument: A value breaks a rule, or model, method or device is not available.
    """
    checks.check_prompt(run.prompt)
    checks.check_text("negative_prompt", run.negative_prompt)
    for concept in run.concepts:
        checks.check_text("concepts", concept.text)
    for method in run.methods:
        checks.check_steps(run.alone(method).sampling.num_inference_steps)
    checks.check_guidance_scale(run.sampling.guidance_scale)
    checks.check_seeds(run.seeds)
    checks.check_retries(run.retries)
    names = [method.name for method in run.methods]
    if not names or len(set(names)) < len(names):
        raise InvalidArgument("run.methods", "must be one or more, each once", names)
    model = find_model(run.model, run.loading, run.device)
    checks.check_size(run.sampling.height, run.sampling.width, model)
    if run.sampling.num_frames is not None:
        checks.check_num_frames(run.sampling.num_frames, model)
    as_concepts(run.concepts, run.prompt)
    scale = run.sampling.guidance_scale
    rules = {method.name: build_rule(method.name, method.parameters, scale) for method in run.methods}
    _check_together(run, rules, model)
    run, rules, told = with_warnings(replace(run, device=choose_device(run.device)), rules)
    return Plan(run, model, rules, (*told, *unguided_warnings(run, model)))


def find_model(name: str, loading: LoadOptions | None = None, device: str | None = None) -> ModelDescription:
    """Describe a model by name; a hub id is fetched first.

    Args:
        name: Embedded name, folder, file or hub id.
        loading: How it will be loaded; None: by the defaults.
        device: "auto" or the torch device it will be loaded to; None: whether it goes with `loading` is not checked.

    Raises:
        InvalidArgument: There is no such model, or it cannot be loaded so.
        UnsupportedPipeline: It cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    loading = (loading or LoadOptions()).resolved
    source = resolve(name)
    if loading != LoadOptions() and device is not None:
        check_machine(loading, choose_device(device))
    model = describe(replace(source, path=fetch(source, loading.variant)), loading.config)
    check_fit(loading, model.path, model.configuration)
    return model


def check_numbers(request: Request) -> None:
    """Check what can be checked without looking at any file."""
    checks.check_prompt(request.prompt)
    checks.check_text("negative_prompt", request.negative_prompt)
    for concept in request.concepts or ():
        checks.check_text("concepts", concept)
    checks.check_known("backend", request.backend, BACKENDS)
    check_max_concepts(request.max_concepts)
    checks.check_retries(request.retries)
    if not 1 <= request.num_images <= LARGEST_NUM_IMAGES:
        raise InvalidArgument("num_images", f"must be from 1 to {LARGEST_NUM_IMAGES}", request.num_images, "try 4")
    checks.check_seeds(request.seeds or {request.seed, request.seed + request.num_images - 1})
    if request.num_inference_steps is not None:
        checks.check_steps(request.num_inference_steps)
    if request.evaluations is not None:
        check_evaluations(request.evaluations, request.num_inference_steps)
    if request.guidance_scale is not None:
        checks.check_guidance_scale(request.guidance_scale)
    for name, value in (("height", request.height), ("width", request.width)):
        if value is not None and value < 1:
            raise InvalidArgument(name, "must be at least 1 pixel", value, "try the default")


def text_readers_of(model: ModelDescription) -> list[TextReader]:
    """Return the text encoders of a model as far as they read; loads its tokenizers. Imports diffusers."""
    from semguide.adapters.pipelines.families.registry import ARCHITECTURES
    from semguide.adapters.pipelines.text_encoding import checkpoint_readers

    return checkpoint_readers(model.configuration, model.pipeline_class, ARCHITECTURES[model.pipeline_class].text)


def _check_together(run: Run, rules: Mapping[str, Rule[Any]], model: ModelDescription) -> None:
    """Refuse edits and methods that do not go with model or scale, and one that weakens LoRAs where none is loaded."""
    check_edits(run, rules, model)
    check_guidance(run, rules, model)
    needing = [name for name, rule in rules.items() if rule.null_adapters != 1.0]
    if needing and not run.loading.loras:
        rule = "must be another one where no LoRA is loaded"
        raise InvalidArgument("method", rule, needing[0], "load one with {loras}")


def _choice(request: Request, model: ModelDescription, readers: Sequence[TextReader] | None) -> Choice:
    if request.concepts is None:
        found = decompose(request.prompt, backend=request.backend)
        if len(request.prompt.encode("utf-8", "replace")) <= ALWAYS_READ:
            return choose(request.prompt, found, request.max_concepts)
        from semguide.adapters.inputs import choose_read

        known = text_readers_of(model) if readers is None else readers
        return choose_read(request.prompt, found, request.max_concepts, known)
    if not all(text.strip() for text in request.concepts):
        raise InvalidArgument("concepts", "must hold some text", "", "leave it out to split the prompt")
    return Choice(tuple(as_concepts(request.concepts, request.prompt)))


def _num_frames(request: Request, model: ModelDescription) -> int | None:
    if request.num_frames is None:
        return None if model.video is None else model.video.num_frames
    checks.check_num_frames(request.num_frames, model)
    return request.num_frames


def _steps_and_scale(request: Request, model: ModelDescription) -> tuple[int, float]:
    steps, scale = request.num_inference_steps, request.guidance_scale
    if steps is None or scale is None:
        own_steps, own_scale = own_steps_and_scale(model)
        steps, scale = steps or own_steps, scale or own_scale
        checks.check_guidance_scale(scale)
    return steps, float(scale)


def own_steps_and_scale(model: ModelDescription) -> tuple[int, float]:
    """Return the steps and the guidance scale of a model that is asked for none: its own, else its pipeline's."""
    steps, scale = model.num_inference_steps, model.guidance_scale
    if steps is None or scale is None:
        from semguide.adapters.pipelines.own_scale import scale_argument

        argument, shift = scale_argument(model.pipeline_class, model.guidance_embeds)
        own_steps, own_scale = call_defaults(model.pipeline_class, argument)
        steps, scale = steps or own_steps, scale or own_scale + shift
    return steps, float(scale)


def _portable(model: ModelDescription) -> str:
    """Name a model so that it is found from any working directory: folder or file by the absolute path."""
    return str(model.path) if model.kind in ("folder", "file") else model.name
