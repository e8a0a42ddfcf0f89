"""`semguide compare`: methods at equal evaluations on a user's own model. Prints nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.concepts.budget import Evaluations, check_evaluations
from semguide.errors import InvalidArgument
from semguide.evaluation.bench.method_arguments import check_names, check_settings
from semguide.evaluation.bench.request import NO_JUDGE, BenchPlan, BenchRequest, plan_bench
from semguide.evaluation.bench.scorer_folders import NONE, ScorerRequest, find_scorers
from semguide.evaluation.calibrating import portable_name
from semguide.evaluation.clip_scorers import embedded_clip
from semguide.evaluation.judging import check_known_world
from semguide.evaluation.scorer_sources import CLIP, Say, scorer_folder
from semguide.evaluation.second_looks import Look, look_at_images
from semguide.evaluation.suites import OWN
from semguide.files import digest, write_json
from semguide.models import LoadOptions, SourceKind, default_model, resolve
from semguide.models.fingerprint import fingerprint_files
from semguide.runs.methods import DEFAULT_METHOD

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.rows import Row

METHODS = "cfg,sgt-balanced,sgt-v1,best-of-detector"
"""What is compared where nothing is named; the first is what the others are compared with."""
SETTINGS: Mapping[str, Mapping[str, Any]] = {"best-of-detector": {"seeds": 2, "every": 4}}
"""Two seeds, looked at now and then: more would leave too few steps of the same evaluations."""
REPORT, SENT = "report.html", "compare.json"
FORMAT, VERSION = "semguide-compare", 1


@dataclass(frozen=True)
class CompareRequest:
    """What a user asked for; None means "the default".

    Attributes:
        model: Embedded name, folder, file or hub id.
        prompts: Name of a suite, or path of a prompt file.
        methods: Methods, comma-separated; the others are compared with the first.
        seeds: Images per prompt and method, from seed 0 up.
        limit: Prompts at most; None for all.
        evaluations: Denoiser evaluations an image, or "plain"; None: what the default rule takes at the model's steps.
        num_inference_steps: Steps by which that is counted.
        guidance_scale: Guidance scale.
        num_frames: Frames of a video.
        settings: Method parameters by method name.
        clip: Folder or hub id of a CLIP, or "none".
        vqa: Folder or hub id of a BLIP that answers questions.
        caption: Folder or hub id of a BLIP that writes captions; needs a CLIP.
        device: "auto" or a torch device.
        loading: How the model is loaded.
    """

    model: str | None = None
    prompts: str = OWN
    methods: str = METHODS
    seeds: int = 2
    limit: int | None = 50
    evaluations: Evaluations | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    num_frames: int | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    clip: str | None = None
    vqa: str | None = None
    caption: str | None = None
    device: str = "auto"
    loading: LoadOptions = field(default_factory=LoadOptions)

    def bench(self, kind: SourceKind, clip: str, vqa: str | None) -> BenchRequest:
        """Return the benchmark that makes and scores the images; embedded models have a judge, too."""
        names = self.methods.split(",")
        given = {name: {**SETTINGS.get(name, {}), **self.settings.get(name, {})} for name in names}
        return BenchRequest(
            suite=self.prompts,
            methods=self.methods,
            model=self.model,
            seeds=self.seeds,
            split="all",
            limit=self.limit,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            num_frames=self.num_frames,
            settings={**self.settings, **given},
            judge=None if kind is SourceKind.EMBEDDED else NO_JUDGE,
            device=self.device,
            keep_images=True,
            scorers=ScorerRequest(clip, vqa),
            loading=self.loading,
        )


@dataclass(frozen=True)
class Scored:
    """The models that score: names as they may be sent in, and folders; "" for none."""

    names: dict[str, str]
    folders: dict[str, str]


@dataclass(frozen=True)
class ComparePlan:
    """A checked request.

    Attributes:
        base: The benchmark of all methods within the budget.
        scored: What scores the images.
    """

    base: BenchPlan
    scored: Scored

    def parts(self) -> list[BenchPlan]:
        """Return the benchmark of each method alone, at its own steps."""
        bench = self.base.bench
        return [replace(self.base, bench=bench.alone(method)) for method in bench.methods]


def check_comparison(request: CompareRequest) -> None:
    """Check what needs no model: methods, their parameters, and that something scores.

    Raises:
        InvalidArgument: An argument breaks a rule.
    """
    names = check_names(request.methods)
    if len(names) < 2:
        raise InvalidArgument("methods", "must be two or more to compare", request.methods, f"try {METHODS}")
    check_settings(names, request.settings)
    if request.evaluations is not None:
        check_evaluations(request.evaluations)
    if request.clip == NONE and request.vqa is None:
        raise InvalidArgument("clip", f"must not be {NONE!r} without {{vqa}}, as nothing would score the images")
    if request.clip == NONE and request.caption is not None:
        raise InvalidArgument("caption", "must have a {clip} that compares captions with prompts", request.caption)


def plan_comparison(request: CompareRequest, say: Say) -> ComparePlan:
    """Resolve and check a request; what scores comes before the model, which may be large.

    Raises:
        InvalidArgument: An argument breaks a rule.
        UnsupportedPipeline: The model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    from semguide.evaluation.bench.budget import within_budget

    check_comparison(request)
    kind = resolve(default_model() if request.model is None else request.model).kind
    scored = _scorers(request, kind, say)
    clip, vqa = scored.folders["clip"] or NONE, scored.folders["vqa"] or None
    find_scorers(ScorerRequest(clip, vqa), kind)
    base = plan_bench(request.bench(kind, clip, vqa))
    bench = base.bench
    if bench.judge_path:
        check_known_world("prompts", Path(bench.judge_path), bench.prompts)
    evaluations = _default_budget(base) if request.evaluations is None else request.evaluations
    return ComparePlan(replace(base, bench=within_budget(bench, base.model, evaluations)), scored)


def _default_budget(base: BenchPlan) -> int:
    """Return what the default rule takes at the model's steps, or the dearest method where that is not compared."""
    from semguide.evaluation.bench.budget import mean_cost

    costs = {method.name: mean_cost(base.bench, method, base.model) for method in base.bench.methods}
    basis = [cost for name, cost in costs.items() if name in (DEFAULT_METHOD, "sgt")] or list(costs.values())
    return math.ceil(max(cost(base.bench.num_inference_steps) for cost in basis))


def _scorers(request: CompareRequest, kind: SourceKind, say: Say) -> Scored:
    own = embedded_clip() if kind is SourceKind.EMBEDDED else None
    clip = request.clip or (own.name if own is not None else CLIP if request.vqa is None else NONE)
    if clip == NONE and request.caption is not None:
        clip = CLIP
    asked = {"clip": "" if clip == NONE else clip, "vqa": request.vqa or "", "caption": request.caption or ""}
    folders = {name: str(scorer_folder(name, given, say)) if given else "" for name, given in asked.items()}
    return Scored({name: portable_name(given) if given else "" for name, given in asked.items()}, folders)


def add_captions(plan: ComparePlan, folder: BenchFolder, on_image: Callable[[], None]) -> dict[str, float | None]:
    """Have the finished images captioned, each once, and compare the captions with the prompts.

    Returns:
        The similarity by the image's id; None for all where nothing writes captions.
    """
    clip, caption = plan.scored.folders["clip"], plan.scored.folders["caption"]
    if not caption:
        return {row["id"]: None for row in folder.selected_rows()}
    device = plan.base.device
    which = digest([fingerprint_files(Path(clip)), fingerprint_files(Path(caption))])[:16]

    def load() -> Look:
        from semguide.evaluation.metrics.caption import Captioner, caption_similarity
        from semguide.evaluation.metrics.clip import load_clip

        writer, reader = Captioner(Path(caption), device), load_clip(Path(clip), device)
        return lambda row, image: round(caption_similarity(reader, row["prompt"], writer.caption(image)), 6)

    return look_at_images(folder, f"captions/{which}", load, on_image)


def write_comparison(plan: ComparePlan, out: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Write report.html and compare.json.

    Args:
        plan: The plan.
        out: The folder; images of the rows are relative to it.
        rows: Of all methods.

    Returns:
        The summary, as a benchmark's.
    """
    from semguide.evaluation.bench.summary import by_category, summarise
    from semguide.evaluation.report import write_report
    from semguide.evaluation.report.side_by_side import side_by_side

    bench = plan.base.bench
    names = [method.name for method in bench.methods]
    summary = summarise(bench.suite, portable_name(bench.model), names, rows)
    pictures = ("Side by side, the same seed", side_by_side(out, names, rows))
    write_report(out / REPORT, summary, by_category(names, rows), rows, (pictures,))
    write_json(out / SENT, sent(plan, summary))
    return summary


def sent(plan: ComparePlan, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of compare.json, which can be sent in: no pictures, no prompts, no paths."""
    bench, identity = plan.base.bench, plan.base.bench.identity
    steps = {method.name: bench.steps_of(method) for method in bench.methods}
    parameters = {method.name: _without_folders(method.parameters) for method in bench.methods}
    folders = plan.scored.folders
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": {
            "name": portable_name(bench.model),
            "fingerprint": identity["checkpoint"],
            "dtype": identity["dtype"],
            "loading": _loading(bench.loading),
        },
        "versions": identity["versions"],
        "device": device_name(plan.base.device),
        "suite": {
            "name": bench.suite,
            "prompts": len(bench.prompts),
            "seeds": len(bench.seeds),
            "digest": digest([prompt.text for prompt in bench.prompts])[:16],
        },
        "sampling": {
            "evaluations": bench.evaluations,
            "guidance_scale": bench.guidance_scale,
            "height": bench.height,
            "width": bench.width,
            **({} if bench.num_frames is None else {"num_frames": bench.num_frames}),
        },
        "scorers": {
            name: {"name": given, "fingerprint": fingerprint_files(Path(folders[name]))}
            for name, given in plan.scored.names.items()
            if given
        },
        "methods": {
            name: {"parameters": parameters[name], "steps": steps[name], **found}
            for name, found in summary["methods"].items()
        },
        "paired": summary["paired"],
    }


def _without_folders(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: portable_name(value) if isinstance(value, str) else value for name, value in parameters.items()}


def _loading(options: LoadOptions) -> dict[str, Any]:
    """Return how the model was loaded, without the folders of a machine."""
    told = {name: getattr(options, name) for name in ("variant", "offload", "vae_tiling", "scheduler")}
    loras = [{"name": Path(lora.path).name, "scale": lora.scale} for lora in options.loras]
    return {**told, "loras": loras, "embeddings": [Path(path).name for path in options.embeddings]}


def device_name(device: str) -> str:
    """Return the product that a torch device is, as far as it says."""
    import platform

    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{device} {platform.machine()}"
