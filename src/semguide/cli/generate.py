"""`semguide generate`: generate the images of a run, repeat a recorded one, or finish the best of many seeds."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from semguide.cli import loading
from semguide.cli.console import FAILURE, hush_libraries, say, warn
from semguide.cli.folders import slug
from semguide.cli.settings import check_seed_list, parse_edits, parse_evaluations, parse_seeds, parse_settings
from semguide.concepts.budget import MAX_CONCEPTS
from semguide.errors import InvalidArgument
from semguide.runs.best_of import BestOfRun, check_best_of, check_scored
from semguide.runs.folder import RunFolder, check_writable
from semguide.runs.methods import DEFAULT_METHOD
from semguide.runs.request import Plan, Request, check_numbers, plan_run
from semguide.runs.run import Run

LONGEST_ORDER = 16
"""Most seeds that are named in their order."""
BESIDE_FROM = frozenset({"from_file", "out", "overwrite", "model", "device"})
"""Parameters that may be given beside --from."""


def generate(
    context: typer.Context,
    prompt: Annotated[str | None, typer.Argument(help="What the picture should show.", show_default=False)] = None,
    model: loading.Model = None,
    method: Annotated[str, typer.Option(help="How to guide; see semguide methods.")] = DEFAULT_METHOD,
    compare: Annotated[list[str] | None, typer.Option(help="Another method to show beside it (repeatable).")] = None,
    concepts: Annotated[
        list[str] | None, typer.Option("--concept", help="A concept to keep, instead of splitting.")
    ] = None,
    max_concepts: Annotated[int, typer.Option(help="Most concepts found in the prompt to keep.")] = MAX_CONCEPTS,
    negative_prompt: Annotated[str, typer.Option("--negative", help="Negative prompt.")] = "",
    more: Annotated[
        list[str] | None, typer.Option(help="Show more of TEXT, or TEXT:SCALE (repeatable).", metavar="TEXT")
    ] = None,
    less: Annotated[
        list[str] | None, typer.Option(help="Show less of TEXT, or TEXT:SCALE (repeatable).", metavar="TEXT")
    ] = None,
    seed: Annotated[
        list[str] | None, typer.Option(help="Of the first image (0), the next count up; or a list 3,5 or 3..6.")
    ] = None,
    num_images: Annotated[int, typer.Option(help="Images per method.")] = 4,
    best_of: Annotated[int | None, typer.Option(help="Start so many seeds, finish the most promising.")] = None,
    keep: Annotated[int | None, typer.Option(help="How many of --best-of to finish; default: 1.")] = None,
    retries: Annotated[
        int, typer.Option(help="Seeds to try besides, for an image whose first steps promise too little.")
    ] = 0,
    num_inference_steps: Annotated[
        int | None, typer.Option("--steps", help="Denoising steps, 1 to 1000; default: the model's.")
    ] = None,
    evaluations: Annotated[
        str | None,
        typer.Option(help="Denoiser evaluations an image may take, in the place of --steps; or plain: 2 a step."),
    ] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="1: none; default: the model's.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels; default: the model's.")] = None,
    width: Annotated[int | None, typer.Option(help="Pixels; default: the model's.")] = None,
    num_frames: Annotated[int | None, typer.Option(help="Frames of a video, 1 to 1000; default: the model's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    dtype: loading.Dtype = "auto",
    variant: loading.Variant = None,
    offload: loading.Offload = "none",
    vae_tiling: loading.VaeTiling = False,
    loras: loading.Loras = None,
    embeddings: loading.Embeddings = None,
    scheduler: loading.Scheduler = None,
    config: loading.Config = None,
    out: Annotated[Path | None, typer.Option(help="Output folder; default: a new one below out/.")] = None,
    from_file: Annotated[Path | None, typer.Option("--from", help="Repeat the run of this run.json.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Method parameter KEY=VALUE.")] = None,
    backend: Annotated[str, typer.Option(help="Splits the prompt: lexicon, spacy or llm.")] = "lexicon",
    full_trace: Annotated[bool, typer.Option("--full-trace", help="Evaluate the concepts at every step.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run in the output folder.")] = False,
) -> None:
    """Generate images of a prompt, a row per method and a column per seed, with all that repeats them."""
    if from_file is not None:
        _refuse_beside_from(context)
        _repeat(from_file, out, overwrite, model, _if_given(context, "device", device))
        return
    seeds = parse_seeds(",".join(seed or ["0"]))
    check_seed_list(seeds, num_images if _is_given(context, "num_images") else None, best_of)
    check_best_of(best_of, keep, _is_given(context, "num_images"))
    if best_of is not None and retries:
        raise InvalidArgument("retries", "must not stand beside {best_of}, which starts all its seeds", retries)
    request = Request(
        prompt=prompt or "",
        model=model,
        method=method,
        compare=tuple(compare or ()),
        concepts=tuple(concepts) if concepts else None,
        negative_prompt=negative_prompt,
        seed=seeds[0],
        seeds=seeds if len(seeds) > 1 else None,
        num_images=best_of or (num_images if len(seeds) == 1 else len(seeds)),
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        height=height,
        width=width,
        num_frames=num_frames,
        device=device,
        settings=parse_settings(settings, method),
        backend=backend,
        full_trace=full_trace,
        loading=loading.load_options(dtype, variant, offload, vae_tiling, loras, embeddings, scheduler, config),
        max_concepts=max_concepts,
        retries=retries,
        evaluations=parse_evaluations(evaluations),
        edits=parse_edits(more or (), less or ()),
    )
    check_numbers(request)
    if out is not None:
        check_writable(out)
    planned = plan_run(request)
    if best_of is None:
        _generate(planned, out or default_out(planned.run), overwrite)
    else:
        _generate_best_of(planned, out or default_out(planned.run, f"-best-{keep or 1}"), overwrite, keep or 1)


def default_out(run: Run, ending: str = "") -> Path:
    """Return the default output folder, named after the prompt and the hash of the run."""
    return Path("out") / f"{slug(run.prompt, 'run', 48)}-{run.digest[:8]}{ending}"


def _repeat(file: Path, out: Path | None, overwrite: bool, model: str | None, device: str | None) -> None:
    from semguide.runs.repeat import compare_pixels, plan_repeat, read_recorded_run

    recorded = read_recorded_run(file)
    if out is not None:
        check_writable(out)
    planned = plan_repeat(recorded, model, device, out)
    folder = _scan(planned, out or recorded.default_out(), overwrite)
    for change in recorded.changes(folder.environment):
        warn(f"not as recorded: {change}")
    _complete(folder, planned)
    typer.echo(compare_pixels(recorded, folder))


def _generate(planned: Plan, out: Path, overwrite: bool) -> None:
    folder = _scan(planned, out, overwrite)
    _complete(folder, planned)


def _generate_best_of(planned: Plan, out: Path, overwrite: bool, keep: int) -> None:
    from semguide.cli.progress import progress_bar, seeds_bar
    from semguide.runs.environment import current_environment

    check_scored(planned)
    check_writable(out)
    _warn_all(planned)
    environment = current_environment(planned.model.path, planned.run.loading)
    best_of = BestOfRun(out, planned, environment, keep, overwrite)
    pipe, generated = None, 0
    if not best_of.selected:
        pipe = _load_pipeline(planned)
        try:
            with seeds_bar(len(planned.run.seeds)) as on_start:
                best_of.select(pipe, on_start)
            with progress_bar(best_of.folder.run, planned, set()) as on_step:
                generated = best_of.finish(on_step)
        except KeyboardInterrupt as error:
            _say_stopped(best_of.folder)
            raise typer.Exit(FAILURE) from error
    _complete(best_of.folder, planned, pipe, generated)
    typer.echo(best_of.summary())


def _scan(planned: Plan, out: Path, overwrite: bool) -> RunFolder:
    from semguide.runs.environment import current_environment

    check_writable(out)
    folder = RunFolder(out, planned.run, current_environment(planned.model.path, planned.run.loading))
    folder.scan(overwrite)
    _warn_all(planned)
    return folder


def _warn_all(planned: Plan) -> None:
    for warning in planned.warnings:
        warnings.warn(warning, stacklevel=1)


def _complete(folder: RunFolder, planned: Plan, pipe: Any = None, generated: int = 0) -> None:
    """Generate the missing images of a folder and print a summary; on Ctrl-C print how to continue.

    Args:
        folder: The folder.
        planned: The plan.
        pipe: Its pipeline, None if it is not loaded.
        generated: How many of the finished images were generated by this call.
    """
    from semguide.runs.folder import write_outputs

    kept, total = len(folder.records) - generated, len(folder.run.methods) * len(folder.run.seeds)
    folder.open()
    try:
        if not folder.complete:
            _generate_missing(folder, planned, pipe or _load_pipeline(planned))
        write_outputs(folder)
    except KeyboardInterrupt as error:
        _say_stopped(folder)
        raise typer.Exit(FAILURE) from error
    already = f" ({kept} of them were there already)" if kept else ""
    kind = "image" if planned.model.video is None else "video"
    images = f"1 {kind}" if total == 1 else f"{total} {kind}s"
    typer.echo(f"{images}{already} of {', '.join(m.name for m in folder.run.methods)}: {folder.out}/grid.png")
    if (order := _order(folder)) is not None:
        typer.echo(order)


def _order(folder: RunFolder) -> str | None:
    """Say which seeds of the main method are most likely right; None where there is nothing to choose or to say."""
    from semguide.runs.records import alignment_ranks

    method = folder.run.methods[-1].name
    ranks = {seed: rank for (name, seed), rank in alignment_ranks(folder.records).items() if name == method}
    if len(ranks) < 2 or None in ranks.values():
        return None
    seeds = sorted(ranks, key=lambda seed: ranks[seed] or 0)
    shown = ", ".join(map(str, seeds[:LONGEST_ORDER])) + (", ..." if len(seeds) > LONGEST_ORDER else "")
    fitted = all(folder.records[method, seed]["alignment"] is not None for seed in seeds)
    note = "" if fitted else " (an order without probabilities; semguide calibrate fits them, under guidance)"
    return f"{method}, most likely right first: seeds {shown}{note}"


def _say_stopped(folder: RunFolder) -> None:
    total = len(folder.run.methods) * len(folder.run.seeds)
    done = f"{len(folder.records)} of {total} images are finished in {folder.out}" if total else "no seed is chosen yet"
    say(f"stopped: {done}; run the same command again to go on")


def _generate_missing(folder: RunFolder, planned: Plan, pipe: Any) -> None:
    from semguide.cli.progress import progress_bar
    from semguide.runs.folder import generate_missing

    with progress_bar(folder.run, planned, set(folder.records)) as on_step:
        generate_missing(folder, planned.rules, pipe, on_step)


def _load_pipeline(planned: Plan) -> Any:
    """Load the pipeline."""
    from semguide.models import load

    hush_libraries()
    pipe = load(str(planned.model.path), planned.run.device, planned.run.loading)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _if_given(context: typer.Context, name: str, value: str) -> str | None:
    return value if _is_given(context, name) else None


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse_beside_from(context: typer.Context) -> None:
    beside = [name for name in context.params if name not in BESIDE_FROM and _is_given(context, name)]
    if beside:
        named = ", ".join(f"{{{name}}}" for name in beside)
        raise InvalidArgument(
            "from_file",
            f"must not stand beside {named}, as it repeats a run as it was",
            remedy="leave one of them out ({out}, {overwrite}, {model} and {device} may stand beside {from_file})",
        )
