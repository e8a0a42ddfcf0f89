"""Resolve and check a request of `semguide bench` before any work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide import plugins
from semguide.concepts.budget import Evaluations, check_evaluations
from semguide.errors import InvalidArgument, MissingExtra, SemguideWarning
from semguide.evaluation.bench.method_arguments import (
    check_names,
    check_settings,
    check_without_guidance,
    complete,
)
from semguide.evaluation.bench.scorer_folders import ScorerRequest, find_scorers
from semguide.evaluation.judging import JUDGE_FILES, embedded_judge
from semguide.models import LoadOptions, ModelDescription, SourceKind
from semguide.runs import checks
from semguide.runs.plain import PLAIN
from semguide.runs.request import LARGEST_NUM_IMAGES, Plan, Request, plan_run

if TYPE_CHECKING:
    from semguide.evaluation.bench.plan import Bench
    from semguide.evaluation.suites import SuitePrompt

SPLITS = ("validation", "test", "all")
NO_JUDGE = "none"


@dataclass(frozen=True)
class BenchRequest:
    """What a user asked for; None means "the default of the model".

    Attributes:
        suite: Name of a suite, or path of an official prompt file.
        methods: Methods, comma-separated.
        model: Embedded name, folder or hub id.
        seeds: How many seeds, from 0 up.
        split: A name of `SPLITS`.
        limit: Prompts at most; None for all.
        num_inference_steps: Steps.
        guidance_scale: Guidance scale.
        num_frames: Frames of a video, 1 to 1000.
        settings: Method parameters by method name.
        judge: Folder of a judge, "none", or None for the embedded one.
        device: "auto" or a torch device.
        full_trace: Evaluate the concepts at every step.
        keep_images: Keep the pictures.
        scorers: Models that score the images besides the judge.
        loading: How the model is loaded.
        evaluations: Denoiser evaluations of an image in the mean of the prompts, in the place of `num_inference_steps`;
            "plain": as many as plain guidance takes at the model's steps.
    """

    suite: str
    methods: str
    model: str | None = None
    seeds: int = 8
    split: str = "test"
    limit: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    num_frames: int | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    judge: str | None = None
    device: str = "auto"
    full_trace: bool = False
    keep_images: bool = False
    scorers: ScorerRequest = field(default_factory=ScorerRequest)
    loading: LoadOptions = field(default_factory=LoadOptions)
    evaluations: Evaluations | None = None


@dataclass(frozen=True)
class BenchPlan:
    """A benchmark ready to be made: the benchmark, its model and device, and what the user should know about it."""

    bench: Bench
    model: ModelDescription
    device: str
    warnings: tuple[SemguideWarning, ...] = ()


def check_bench(request: BenchRequest, jobs: int) -> None:
    """Check what needs no torch.

    Raises:
        InvalidArgument: A number is out of range, or a name unknown.
    """
    for argument, value, highest in (
        ("seeds", request.seeds, LARGEST_NUM_IMAGES),
        ("limit", 1 if request.limit is None else request.limit, None),
        ("jobs", jobs, 1024),
    ):
        if value < 1 or (highest is not None and value > highest):
            rule = "at least 1" if highest is None else f"from 1 to {highest}"
            raise InvalidArgument(argument, f"must be {rule}", value, "try 8")
    checks.check_known("split", request.split, SPLITS)
    if request.num_inference_steps is not None:
        checks.check_steps(request.num_inference_steps)
    if request.evaluations is not None:
        check_evaluations(request.evaluations, request.num_inference_steps)
    if request.guidance_scale is not None:
        checks.check_guidance_scale(request.guidance_scale)


def check_ray(address: str) -> None:
    """Check that Ray is there if it is asked for.

    Raises:
        MissingExtra: It is not installed.
    """
    if address and find_spec("ray") is None:
        raise MissingExtra("a run on Ray", "ray")


def parse_shard(text: str) -> tuple[int, int]:
    """Read "i/n".

    Raises:
        InvalidArgument: It is not two whole numbers with 1 <= i <= n.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= count:
        raise InvalidArgument("shard", "must be I/N with 1 <= I <= N", text, "the first of four is 1/4")
    return index, count


def plan_bench(request: BenchRequest) -> BenchPlan:
    """Resolve and check a request; what needs no torch first.

    Raises:
        InvalidArgument: An argument breaks a rule.
        UnsupportedPipeline: The model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    from semguide.evaluation.bench.budget import within_budget
    from semguide.evaluation.bench.plan import JUDGE, Bench
    from semguide.evaluation.metrics import Scorers
    from semguide.evaluation.sampling_methods import SamplingOptions
    from semguide.evaluation.suites import limited

    names = check_names(request.methods)
    check_settings(names, request.settings)
    prompts = limited(suite_prompts(request.suite, request.split), request.limit)
    judge = find_judge(request.judge)
    planned = _sampling(request, prompts[0].text)
    scorers = find_scorers(request.scorers, planned.model.kind)
    run, shared = planned.run, planned.run.sampling
    size = (shared.height, shared.width)
    sampling = SamplingOptions(shared.num_inference_steps, *size, request.full_trace, shared.num_frames)
    from semguide.runs.environment import current_environment

    identity = {
        **current_environment(planned.model.path, run.loading).identity(),
        "device": run.device.partition(":")[0],
        **({} if run.loading == LoadOptions() else {"loading": run.loading.to_json()}),
    }
    bench = Bench(
        suite=Path(request.suite).name,
        prompts=tuple(prompts),
        methods=tuple(
            complete(
                name, request.settings.get(name, {}), shared.guidance_scale, planned.model.pipeline_class, sampling
            )
            for name in names
        ),
        seeds=tuple(range(request.seeds)),
        model=run.model,
        model_path=str(planned.model.path),
        judge_path=str(judge or ""),
        num_inference_steps=shared.num_inference_steps,
        guidance_scale=shared.guidance_scale,
        height=shared.height,
        width=shared.width,
        num_frames=shared.num_frames,
        full_trace=request.full_trace,
        keep_images=request.keep_images,
        scorers=Scorers(**scorers.paths()),
        loading=run.loading,
        identity={**identity, JUDGE: _fingerprint(judge), **scorers.identity()},
    )
    for method in bench.methods:
        check_without_guidance(method, bench.scale_of(method), planned.model)
    if request.evaluations is not None:
        bench = within_budget(bench, planned.model, request.evaluations)
    return BenchPlan(bench, planned.model, run.device, _warnings(request, planned, judge))


def suite_prompts(name: str, split: str) -> list[SuitePrompt]:
    """Look up a suite by name or official file.

    Raises:
        InvalidArgument: There is neither, or the split of it is empty.
    """
    from semguide.evaluation.official import read_official
    from semguide.evaluation.suites import suite, suite_names

    known = suite_names()
    if name not in known and not Path(name).exists():
        rule = "must be the path of a prompt file or one of"
        if len(known) == 1:
            raise InvalidArgument("suite", f"{rule} {known[0]}", name, plugins.EMBEDDED)
        checks.check_known("suite", name, known, rule)
    prompts = suite(name) if name in known else read_official(Path(name))
    chosen = [prompt for prompt in prompts if split in ("all", prompt.split)]
    if not chosen:
        raise InvalidArgument("split", "must be one that the suite has prompts of", split, "give {split} all")
    return chosen


def find_judge(name: str | None) -> Path | None:
    """Return the folder of the judge; None for "none".

    Raises:
        InvalidArgument: There is no judge there.
    """
    if name == NO_JUDGE:
        return None
    if name is None:
        embedded = embedded_judge()
        if embedded is None:
            raise InvalidArgument(
                "judge",
                f"must be given, as none is installed ({plugins.EMBEDDED})",
                remedy=f"give its folder, or {NO_JUDGE!r} to make images without judging them",
            )
        return embedded.folder
    folder = Path(name).expanduser()
    if all((folder / file).is_file() for file in JUDGE_FILES):
        return folder.resolve()
    rule = f"must be a folder with {' and '.join(JUDGE_FILES)}"
    raise InvalidArgument("judge", rule, name, f"give such a folder or {NO_JUDGE!r}")


def _sampling(request: BenchRequest, prompt: str) -> Plan:
    """Resolve model, steps, scale and device as `generate` does; one prompt and plain guidance stand for all."""
    return plan_run(
        Request(
            prompt,
            model=request.model,
            method=PLAIN,
            concepts=(prompt,),
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            num_frames=request.num_frames,
            device=request.device,
            loading=request.loading,
        )
    )


def _fingerprint(judge: Path | None) -> str | None:
    if judge is None:
        return None
    total = hashlib.sha256()
    for file in JUDGE_FILES:
        total.update(hashlib.sha256((judge / file).read_bytes()).digest())
    return f"sha256:{total.hexdigest()}"


def _warnings(request: BenchRequest, planned: Plan, judge: Path | None) -> tuple[SemguideWarning, ...]:
    foreign = planned.model.kind != SourceKind.EMBEDDED and judge is not None and request.judge is None
    embedded = embedded_judge()
    if not foreign or embedded is None:
        return ()
    message = f"{embedded.name} knows {embedded.knows} only, and its verdicts on others mean nothing"
    return (SemguideWarning(message, f"give {{judge}} {NO_JUDGE} unless {planned.model.name} draws that world"),)
