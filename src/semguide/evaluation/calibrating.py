"""`semguide calibrate`: from the images of a suite to the fitted score of a model. Prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from semguide import plugins
from semguide.errors import InvalidArgument, SemguideError
from semguide.evaluation.bench.request import BenchPlan, BenchRequest, plan_bench
from semguide.evaluation.bench.scorer_folders import NONE, ScorerRequest, find_scorers
from semguide.evaluation.clip_scorers import embedded_clip
from semguide.evaluation.judging import JUDGE_FILES, check_known_world, embedded_judge
from semguide.evaluation.scorer_sources import CLIP, VQA, Say, scorer_folder
from semguide.evaluation.second_looks import Look, look_at_images
from semguide.files import digest, field_of, object_of, read_json, write_json
from semguide.models import LoadOptions, SourceKind, default_model, resolve
from semguide.models.calibrations import Calibration
from semguide.models.fingerprint import fingerprint_files
from semguide.runs.checks import check_known

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.calibration import Reliability

Verdicts = dict[str, list[bool] | None]
"""Whether each concept is right, by the image's id; None where the judge cannot say."""
MODEL, VERDICTS = "model.json", "verdicts"
"""In the folder of the images."""
JUDGES = ("clip", "vqa", "detector")
METHOD = "sgt-balanced"
"""The default rule: its pictures are those of which users are told probabilities."""
RELIABILITY = "reliability"
"""What the record of a diagram holds."""
FEW = 100
"""Concepts below which a fit is told to be rough."""


@dataclass(frozen=True)
class CalibrateRequest:
    """What a user asked for; None means "the default".

    Attributes:
        model: Embedded name, folder, file or hub id.
        suite: Name of a suite, or path of a prompt file.
        judge: A name of `JUDGES`.
        judge_model: Folder or hub id of the judge.
        split: Which half of the suite's prompts, a name of `SPLITS`.
        seeds: Images per prompt, from seed 0 up.
        limit: Prompts at most; None for all.
        num_inference_steps: Steps.
        guidance_scale: Guidance scale.
        num_frames: Frames of a video.
        device: "auto" or a torch device.
        loading: How the model is loaded.
    """

    model: str | None
    suite: str
    judge: str
    judge_model: str | None = None
    split: str = "all"
    seeds: int = 1
    limit: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    num_frames: int | None = None
    device: str = "auto"
    loading: LoadOptions = field(default_factory=LoadOptions)

    def bench(self) -> BenchRequest:
        """Return the benchmark that makes the images: they are judged afterwards, by any judge."""
        return BenchRequest(
            suite=self.suite,
            methods=METHOD,
            model=self.model,
            seeds=self.seeds,
            split=self.split,
            limit=self.limit,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            num_frames=self.num_frames,
            judge=NONE,
            device=self.device,
            keep_images=True,
            scorers=ScorerRequest(clip=NONE),
            loading=self.loading,
        )


@dataclass(frozen=True)
class CalibratePlan:
    """A checked request: its images, and the judge."""

    request: CalibrateRequest
    bench: BenchPlan
    judge: Path


def plan_calibration(request: CalibrateRequest, say: Say) -> CalibratePlan:
    """Resolve and check a request; the judge comes before the model, which may be large.

    Raises:
        InvalidArgument: An argument breaks a rule.
        UnsupportedPipeline: The model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    from semguide.adapters.pipelines.own_scale import branches

    check_known("judge", request.judge, JUDGES)
    source = resolve(default_model() if request.model is None else request.model)
    judge = _judge_folder(request, source.kind, say)
    planned = plan_bench(request.bench())
    if branches(planned.model, planned.bench.guidance_scale) == "conditional":
        rule = "must have guidance, of which the score is"
        raise InvalidArgument("model", rule, planned.model.name, "give {guidance_scale} more than 1, if it guides")
    if request.judge == "clip":
        from semguide.evaluation.concept_judges import check_for_clip

        check_for_clip(planned.bench.prompts)
    if request.judge == "detector":
        check_known_world("suite", judge, planned.bench.prompts)
    if not all(prompt.concepts for prompt in planned.bench.prompts):
        rule = "must hold prompts in which concepts are found"
        raise InvalidArgument("suite", rule, request.suite, "remove those without")
    return CalibratePlan(request, planned, judge)


def _judge_folder(request: CalibrateRequest, kind: SourceKind, say: Say) -> Path:
    """Find the judge's folder, and check that it holds one."""
    named = request.judge_model
    if request.judge == "detector":
        embedded = embedded_judge() if named is None else None
        folder = Path(named or "") if embedded is None else embedded.folder
        if named is None and embedded is None:
            raise InvalidArgument("judge_model", f"must be given for a detector ({plugins.EMBEDDED})")
        if not all((folder / file).is_file() for file in JUDGE_FILES):
            raise InvalidArgument("judge_model", f"must be a folder with {' and '.join(JUDGE_FILES)}", folder)
        return folder
    own = embedded_clip() if request.judge == "clip" and kind is SourceKind.EMBEDDED else None
    if named is None and own is not None:
        return own.folder
    default = CLIP if request.judge == "clip" else VQA
    folder = scorer_folder("judge_model", default if named is None else named, say)
    find_scorers(ScorerRequest(**{"clip": NONE, request.judge: str(folder)}), kind)
    return folder


def model_fingerprint(plan: CalibratePlan, out: Path) -> str:
    """Return the fingerprint of the model as it is loaded, from an earlier call's file where there is one.

    Raises:
        SemguideError: Its weights cannot be read, so that it could not be found again.
    """
    bench = plan.bench.bench
    made_for = {name: bench.identity.get(name) for name in ("checkpoint", "loading")}
    file = out / MODEL
    if file.is_file():
        try:
            known = object_of(read_json(file), "it")
            if field_of(known, "made_for", dict) == made_for:
                return field_of(known, "fingerprint", str)
        except (OSError, ValueError) as error:
            rule = f"must hold a {MODEL} as semguide wrote it ({error})"
            raise InvalidArgument("out", rule, file, "remove it, or choose another folder") from error
    from semguide.models import load
    from semguide.models.weights import weights_fingerprint

    found = weights_fingerprint(load(bench.model_path, plan.bench.device, bench.loading))
    if found is None:
        raise SemguideError(
            f"the weights of {bench.model} are packed in a way that cannot be read, so a fit could not be found again; "
            "calibrate the model as it is before it was quantised"
        )
    write_json(file, {"fingerprint": found, "made_for": made_for})
    return found


def judge_images(plan: CalibratePlan, folder: BenchFolder, on_image: Callable[[], None]) -> Verdicts:
    """Judge the finished images, each once: verdicts are kept as soon as they are there.

    Args:
        plan: The plan.
        folder: Its images, all made.
        on_image: Called after each image that is judged now.

    Returns:
        Whether each concept is right, by the image's id; None where the judge cannot say.
    """
    from semguide.evaluation.concept_judges import load_concept_judge

    prompts = {prompt.text: prompt for prompt in plan.bench.bench.prompts}
    texts = sorted(concept.text for prompt in prompts.values() for concept in prompt.concepts)
    which = digest([plan.request.judge, fingerprint_files(plan.judge), texts if plan.request.judge == "clip" else []])

    def load() -> Look:
        judge = load_concept_judge(plan.request.judge, plan.judge, list(prompts.values()), plan.bench.device)
        return lambda row, image: judge.verdict(prompts[row["prompt"]], image)

    return look_at_images(folder, f"{VERDICTS}/{which[:16]}", load, on_image)


@dataclass(frozen=True)
class Fit:
    """What was fitted.

    Attributes:
        calibration: To be stored.
        reliability: Of prompts that were held out in turn.
    """

    calibration: Calibration
    reliability: Reliability

    def check(self) -> None:
        """Check that the fit says something of prompts that it has not seen.

        Raises:
            SemguideError: It does not, so that its probabilities would lie.
        """
        told = self.reliability
        if told.brier >= told.base:
            raise SemguideError(
                "no fit is kept: on prompts that were held out its probabilities are no better than the share that is "
                f"right (Brier {told.brier:.3f} against {told.base:.3f}); make more images with a larger --limit or "
                "--seeds, or choose another --judge; alignment_rank is there without a fit"
            )


def fit(plan: CalibratePlan, folder: BenchFolder, verdicts: Verdicts, fingerprint: str) -> Fit:
    """Fit the score of a model to all judged concepts, and measure it on prompts that are held out in turn.

    Raises:
        InvalidArgument: Too few concepts are right, or too few wrong.
    """
    from semguide.evaluation.calibration import fit_judged, held_out, judged_concepts, reliability
    from semguide.evaluation.observation import auroc

    bench, rows = plan.bench.bench, folder.selected_rows()
    judged = judged_concepts(rows, verdicts)
    chance = held_out(judged)
    told = reliability(chance, judged.right)
    quality = {"auroc": auroc(chance, judged.right), "brier": told.brier, "brier_of_the_share": told.base}
    fitted_on = {
        "model": portable_name(bench.model),
        "suite": bench.suite,
        "split": plan.request.split,
        "judge": plan.request.judge,
        "method": METHOD,
        "num_inference_steps": bench.num_inference_steps,
        "guidance_scale": bench.guidance_scale,
        "images": len(rows),
        "concepts": len(judged.right),
        "right": float(judged.right.mean()),
        "quality": {name: round(value, 4) for name, value in quality.items()},
        "versions": bench.identity["versions"],
    }
    intercept, slope = (round(value, 4) for value in fit_judged(judged))
    return Fit(Calibration(fingerprint, intercept, slope, fitted_on), told)


def portable_name(model: str) -> str:
    """Return a model's name without the folders that lead to it."""
    return Path(model).name if Path(model).exists() or Path(model).is_absolute() else model
