"""`semguide calibrate`: fit the alignment of a model to images that it makes; run again to go on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semguide.cli import loading
from semguide.cli.bench import How, make_missing
from semguide.cli.console import FAILURE, hush_libraries, say, warn
from semguide.cli.folders import check_out, model_slug
from semguide.cli.progress import count_bar
from semguide.evaluation.bench.request import check_bench
from semguide.evaluation.calibrating import FEW, MODEL, RELIABILITY, CalibrateRequest, plan_calibration
from semguide.evaluation.suites import OWN
from semguide.models.calibrations import FILE, FORMAT, calibration_file
from semguide.runs.folder import check_writable
from semguide.runs.ownership import check_ours, is_json, is_marked_picture

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.calibrating import CalibratePlan, Fit, Verdicts

IMAGES = "images"
"""Folder of the images, in that of the command."""


DIAGRAM = "reliability.png"
_WRITTEN = {
    MODEL: is_json("fingerprint", "made_for"),
    DIAGRAM: is_marked_picture(RELIABILITY),
    FILE: is_json(format=FORMAT),
}
"""What is written beside the images, and how it is known."""


def calibrate(
    judge: Annotated[str, typer.Option(help="What says which concepts are right: clip, vqa or detector.")],
    model: loading.Model = None,
    suite: Annotated[str, typer.Option(help="A name of semguide suites, or a prompt file.")] = OWN,
    judge_model: Annotated[
        str | None, typer.Option(help="Folder or hub id of the judge; default: the embedded one, or a known one.")
    ] = None,
    split: Annotated[str, typer.Option(help="Half of the suite's prompts: validation, test or all.")] = "all",
    seeds: Annotated[int, typer.Option(help="Images per prompt: seeds 0, 1, ...")] = 1,
    limit: Annotated[int | None, typer.Option(help="Prompts at most, a fair choice; 0: all.")] = 200,
    num_inference_steps: Annotated[
        int | None, typer.Option("--steps", help="Denoising steps, 1 to 1000; default: the model's.")
    ] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="1: none; default: the model's.")] = None,
    num_frames: Annotated[int | None, typer.Option(help="Frames of a video, 1 to 1000; default: the model's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the images; default: one below out/.")] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder to keep the fit in; default: SEMGUIDE_DATA or the platform's.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    dtype: loading.Dtype = "auto",
    variant: loading.Variant = None,
    offload: loading.Offload = "none",
    vae_tiling: loading.VaeTiling = False,
    loras: loading.Loras = None,
    embeddings: loading.Embeddings = None,
    scheduler: loading.Scheduler = None,
    config: loading.Config = None,
) -> None:
    """Fit the probabilities of alignment to images that a model makes, and keep them where they are found again."""
    request = CalibrateRequest(
        model=model,
        suite=suite,
        judge=judge,
        judge_model=judge_model,
        split=split,
        seeds=seeds,
        limit=limit or None,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        num_frames=num_frames,
        device=device,
        loading=loading.load_options(dtype, variant, offload, vae_tiling, loras, embeddings, scheduler, config),
    )
    check_bench(request.bench(), 1)
    if out is not None:
        check_out(out, IMAGES, _WRITTEN)
    if store is not None:
        check_writable(store)
    planned = plan_calibration(request, say)
    where = out or Path("out") / f"calibrate-{model_slug(planned.bench.bench.model)}"
    check_out(where, IMAGES, _WRITTEN)
    _calibrate(planned, where, store)


def _calibrate(planned: CalibratePlan, out: Path, store: Path | None) -> None:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.calibrating import fit, model_fingerprint
    from semguide.evaluation.report.reliability import draw_reliability

    images = BenchFolder(out / IMAGES, planned.bench.bench)
    images.scan()
    for warning in planned.bench.warnings:
        warnings.warn(warning, stacklevel=1)
    hush_libraries()
    images.open()
    fingerprint = model_fingerprint(planned, out)
    file, diagram = calibration_file(fingerprint, store), out / DIAGRAM
    check_ours("store", file.parent, {file.name: is_json(format=FORMAT)})
    if missing := images.missing(planned.bench.bench.tasks()):
        make_missing(planned.bench, images, missing, How(1, "", None))
        images.refresh()
    found = fit(planned, images, _judge(planned, images), fingerprint)
    draw_reliability(diagram, found.calibration, found.reliability)
    _say_fit(found, diagram)
    found.check()
    if (concepts := found.calibration.fitted_on["concepts"]) < FEW:
        warn(f"{concepts} concepts are few, and the fit is rough: give more prompts or seeds")
    file.parent.mkdir(parents=True, exist_ok=True)
    for target in (out / FILE, file):
        found.calibration.write(target)
    typer.echo(f"alignment of {found.calibration.fitted_on['model']} is a probability from now on: {file}")


def _judge(planned: CalibratePlan, images: BenchFolder) -> Verdicts:
    from semguide.evaluation.calibrating import judge_images

    try:
        with count_bar("judged", len(images.selected_rows())) as on_image:
            return judge_images(planned, images, on_image)
    except KeyboardInterrupt as error:
        say(f"stopped: all images are made in {images.out}; run the same command again to go on")
        raise typer.Exit(FAILURE) from error


def _say_fit(found: Fit, diagram: Path) -> None:
    on, told = found.calibration.fitted_on, found.reliability
    typer.echo(
        f"{on['model']}: {on['concepts']} concepts of {on['images']} images of {on['suite']}, "
        f"{on['right']:.0%} right by {on['judge']}"
    )
    typer.echo(
        f"prompts held out in turn: Brier {told.brier:.3f} (the share alone {told.base:.3f}), "
        f"AUROC {on['quality']['auroc']:.2f}: {diagram}"
    )
