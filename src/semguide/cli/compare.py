"""`semguide compare`: methods side by side on your own model, at equal evaluations; run again to go on."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semguide.cli import loading
from semguide.cli.bench import How, make_missing, print_summary
from semguide.cli.console import FAILURE, hush_libraries, say
from semguide.cli.folders import check_out, model_slug
from semguide.cli.progress import count_bar
from semguide.cli.settings import parse_evaluations, parse_settings
from semguide.evaluation.bench.request import BenchRequest, check_bench
from semguide.evaluation.comparing import (
    FORMAT,
    METHODS,
    REPORT,
    SENT,
    CompareRequest,
    check_comparison,
    plan_comparison,
)
from semguide.evaluation.suites import OWN
from semguide.runs.ownership import IsOurs, check_ours, is_folder, is_json

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.comparing import ComparePlan

PARTS = "methods"
"""Folder of the methods' own folders."""


def compare(
    model: loading.Model = None,
    prompts: Annotated[str, typer.Option(help="A prompt file, or a name of semguide suites.")] = OWN,
    methods: Annotated[
        str, typer.Option(help="Methods, comma-separated; the others are compared with the first.")
    ] = METHODS,
    seeds: Annotated[int, typer.Option(help="Images per prompt and method: seeds 0, 1, ...")] = 2,
    limit: Annotated[int, typer.Option(help="Prompts at most, a fair choice; 0: all.")] = 50,
    evaluations: Annotated[
        str | None,
        typer.Option(help="Denoiser evaluations an image, or plain: 2 a step; default: the default rule's at --steps."),
    ] = None,
    num_inference_steps: Annotated[
        int | None, typer.Option("--steps", help="Steps of the default rule, 1 to 1000; default: the model's.")
    ] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="1: none; default: the model's.")] = None,
    num_frames: Annotated[int | None, typer.Option(help="Frames of a video, 1 to 1000; default: the model's.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Method parameter METHOD.KEY=VALUE.")] = None,
    clip: Annotated[str | None, typer.Option(help="Folder or hub id of a CLIP, or none; default: a known one.")] = None,
    vqa: Annotated[str | None, typer.Option(help="Folder or hub id of a BLIP that answers questions.")] = None,
    caption: Annotated[str | None, typer.Option(help="Folder or hub id of a BLIP that writes captions.")] = None,
    out: Annotated[Path | None, typer.Option(help="Output folder; default: one below out/.")] = None,
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
    """Compare methods at equal evaluations on your own model: report.html, and compare.json to be sent in."""
    request = CompareRequest(
        model=model,
        prompts=prompts,
        methods=methods,
        seeds=seeds,
        limit=limit or None,
        evaluations=parse_evaluations(evaluations),
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        num_frames=num_frames,
        settings=parse_settings(settings, None),
        clip=clip,
        vqa=vqa,
        caption=caption,
        device=device,
        loading=loading.load_options(dtype, variant, offload, vae_tiling, loras, embeddings, scheduler, config),
    )
    check_bench(
        BenchRequest(prompts, methods, model, seeds, "all", limit or None, num_inference_steps, guidance_scale), 1
    )
    check_comparison(request)
    if out is not None:
        check_out(out, PARTS, _written())
    planned = plan_comparison(request, say)
    where = out or Path("out") / f"compare-{model_slug(planned.base.bench.model)}"
    check_out(where, PARTS, _written())
    _compare(planned, where)


def _written() -> Mapping[str, IsOurs]:
    from semguide.evaluation.report.page import is_report

    return {REPORT: is_report, SENT: is_json(format=FORMAT)}


def _compare(planned: ComparePlan, out: Path) -> None:
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.comparing import write_comparison

    folders = [BenchFolder(out / PARTS / part.bench.methods[0].name, part.bench) for part in planned.parts()]
    for folder in folders:
        check_ours("out", out / PARTS, {folder.out.name: is_folder})
        folder.scan()
    for warning in planned.base.warnings:
        warnings.warn(warning, stacklevel=1)
    told = ", ".join(f"{folder.bench.methods[0].name} {folder.bench.num_inference_steps}" for folder in folders)
    bench = planned.base.bench
    typer.echo(
        f"{len(bench.prompts)} prompts, {len(bench.seeds)} seeds, {bench.evaluations} evaluations an image; "
        f"steps: {told}"
    )
    hush_libraries()
    rows: list[dict[str, Any]] = []
    for part, folder in zip(planned.parts(), folders, strict=True):
        folder.open()
        if missing := folder.missing(part.bench.tasks()):
            for name in (REPORT, SENT):  # they would speak of other images
                (out / name).unlink(missing_ok=True)
            make_missing(part, folder, missing, How(1, "", None))
            gc.collect()  # the pipeline, before the next method loads its own
        folder.refresh()
        rows += _rows(planned, out, folder)
    print_summary(write_comparison(planned, out, rows))
    typer.echo(f"{len(rows)} images: {out / REPORT}; to be sent in: {out / SENT}")


def _rows(planned: ComparePlan, out: Path, folder: BenchFolder) -> list[dict[str, Any]]:
    """Return the rows of a method, with captions compared and images relative to the whole comparison."""
    from semguide.evaluation.comparing import add_captions

    try:
        with count_bar("captions", len(folder.selected_rows())) as on_image:
            captions = add_captions(planned, folder, on_image)
    except KeyboardInterrupt as error:
        say("stopped: the images are kept; run the same command again to go on")
        raise typer.Exit(FAILURE) from error
    place = folder.out.relative_to(out).as_posix()
    return [
        {**row, "image": f"{place}/{row['image']}", "caption_similarity": captions[row["id"]]}
        for row in folder.selected_rows()
    ]
