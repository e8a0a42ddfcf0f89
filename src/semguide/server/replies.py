"""Responses: jobs, images, models and methods as schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from semguide.concepts import why_none
from semguide.concepts.budget import Choice
from semguide.runs.estimate import estimate
from semguide.runs.methods import DEFAULT_METHOD, describe_method, method_names
from semguide.runs.records import alignment_ranks, describe_run
from semguide.runs.request import Plan, Request, own_steps_and_scale
from semguide.server.jobs import Failure, ImageTask, Job, Status
from semguide.server.reply_schemas import (
    ConceptModel,
    ConceptsReply,
    CostReply,
    DefaultsCard,
    ErrorBody,
    FoundConcept,
    ImageReport,
    ImageStatus,
    JobReply,
    LimitsCard,
    MethodCard,
    MethodCostModel,
    MethodsReply,
    ModelCard,
)
from semguide.server.request_schemas import EditChoice, MethodChoice
from semguide.server.requests import most_concepts
from semguide.server.served_models import ServedModel
from semguide.server.settings import Limits
from semguide.server.wording import sentence_of
from semguide.types import Concept


def image_url(image: ImageTask) -> str:
    """Return the path of an image's PNG file."""
    return f"/v1/jobs/{image.job.id}/images/{image.index}.png"


def image_report(image: ImageTask, ranks: Mapping[int, int | None] | None = None) -> ImageReport | None:
    """Return evaluations, seconds, alignment and trace of an image; None until it is done.

    Args:
        image: The image.
        ranks: `job_ranks` of its job, if they are known.
    """
    record, trace = image.record, image.trace
    if record is None or trace is None:
        return None
    shared = {name: record[name] for name in ("evaluations", "seconds", "alignment", "pixels")}
    optional = {name: record.get(name) for name in ("attempts", "frames", "fps")}
    rank = (job_ranks(image.job) if ranks is None else ranks).get(image.index)
    named = {"index": image.index, "method": image.method.name, "seed": image.seed, "alignment_rank": rank}
    return ImageReport(trace=trace, **named, **shared, **optional)  # type: ignore[arg-type]


def job_ranks(job: Job) -> dict[int, int | None]:
    """Return the `alignment_rank` of each finished image of a job, by its index."""
    done = {(image.method.name, image.seed): image for image in job.images if image.record is not None}
    ranks = alignment_ranks({key: image.record for key, image in done.items() if image.record is not None})
    return {done[key].index: rank for key, rank in ranks.items()}


def failure_body(failure: Failure) -> ErrorBody:
    """Return an error in OpenAI's form."""
    return ErrorBody(message=failure.message, type="server_error", code=failure.code)


def concept_models(concepts: tuple[Concept, ...] | list[Concept]) -> list[ConceptModel]:
    """Return concepts as schemas."""
    return [ConceptModel(**asdict(concept)) for concept in concepts]


def concepts_reply(prompt: str, choice: Choice) -> ConceptsReply:
    """Return the concepts found in a prompt, which of them are kept, and why others are not."""
    found = [FoundConcept(**asdict(concept), kept=concept in choice.kept) for concept in choice.found]
    none = "" if choice.found else why_none(prompt, looked=True)
    note = none if choice.warning is None else sentence_of(choice.warning)
    return ConceptsReply(prompt=prompt, concepts=found, note=note)


def job_reply(job: Job, position: int) -> JobReply:
    """Return the status of a job.

    Args:
        job: The job.
        position: Queued jobs before it, 0 if it is not queued.
    """
    run, ranks = job.run, job_ranks(job)
    return JobReply(
        id=job.id,
        status=job.status.value,
        position=position,
        created=int(job.created),
        model=job.model,
        prompt=run.prompt,
        negative_prompt=run.negative_prompt,
        concepts=concept_models(run.concepts),
        methods=[MethodChoice(name=method.name, parameters=method.parameters) for method in run.methods],
        seeds=list(run.seeds),
        retries=run.retries,
        edits=[EditChoice(**asdict(edit)) for edit in run.edits.each],
        steps=run.sampling.num_inference_steps,
        evaluations=run.evaluations,
        guidance_scale=run.sampling.guidance_scale,
        scheduler=run.loading.scheduler,
        width=run.sampling.width,
        height=run.sampling.height,
        num_frames=run.sampling.num_frames,
        images=[_image_status(image, ranks) for image in job.images],
        warnings=list(job.warnings),
        error=None if job.failure is None else failure_body(job.failure),
        events_url=f"/v1/jobs/{job.id}/events",
        run_url=f"/v1/jobs/{job.id}/run.json",
    )


def cost_reply(planned: Plan) -> CostReply:
    """Return what a job will cost."""
    costs, seeds = estimate(planned), len(planned.run.seeds)
    return CostReply(
        images=seeds * len(costs),
        evaluations=seeds * sum(cost.evaluations for cost in costs),
        most=seeds * sum(cost.most for cost in costs),
        methods=[MethodCostModel(**asdict(cost)) for cost in costs],
        warnings=[sentence_of(warning) for warning in planned.warnings],
    )


def _image_status(image: ImageTask, ranks: Mapping[int, int | None]) -> ImageStatus:
    report = image_report(image, ranks)
    return ImageStatus(
        index=image.index,
        method=image.method.name,
        seed=image.seed,
        status=image.status.value,  # type: ignore[arg-type]
        step=image.step,
        steps=image.steps,
        url=None if report is None else image_url(image),
        report=report,
    )


def run_json(job: Job, model: ServedModel) -> dict[str, Any]:
    """Return the run.json of a job, which `semguide generate --from` repeats."""
    records = {(p.method.name, p.seed): p.record for p in job.images if p.record is not None}
    return describe_run(job.run, model.environment, records, job.status is Status.done)


def model_card(model: ServedModel) -> ModelCard:
    """Return a model in OpenAI's form, with its defaults and ranges."""
    wanted = ("pipeline_class", "height", "width", "size_multiple", "smallest", "largest")
    described = {name: getattr(model.description, name) for name in wanted}
    described["num_inference_steps"], described["guidance_scale"] = own_steps_and_scale(model.description)
    video = model.description.video
    described |= {"scheduler": model.scheduler, "schedulers": list(model.schedulers)}
    described["examples"] = asdict(model.examples)
    described["video"] = None if video is None else {"fps": video.fps, "num_frames": video.num_frames}
    kind = model.description.kind.value
    return ModelCard(id=model.id, created=model.created, owned_by=f"semguide-{kind}", semguide=described)


def methods_reply(limits: Limits) -> MethodsReply:
    """Return all methods with their parameters and ranges, the defaults, and the server's limits."""
    cards = [MethodCard(**describe_method(name)) for name in method_names()]
    limited = LimitsCard(**{name: getattr(limits, name) for name in LimitsCard.model_fields})
    edit = {name: field.default for name, field in EditChoice.model_fields.items() if isinstance(field.default, float)}
    most = most_concepts(None, limits)
    defaults = DefaultsCard(method=DEFAULT_METHOD, max_concepts=most, images=Request.num_images, edit=edit)
    return MethodsReply(methods=cards, defaults=defaults, limits=limited)
