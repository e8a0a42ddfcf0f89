"""`semguide generate`: from a prompt to a picture that holds all its concepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from semguide.cli.console import FAILURE, hush_libraries, say, warn
from semguide.cli.settings import parse_settings
from semguide.errors import InvalidArgument
from semguide.runs.best_of import Chooser, check_best_of, check_concepts
from semguide.runs.folder import RunFolder, check_writable
from semguide.runs.methods import DEFAULT_METHOD
from semguide.runs.request import Plan, Request, check_numbers, plan
from semguide.runs.run import Run

BESIDE_FROM = frozenset({"from_file", "out", "overwrite", "model", "device"})
"""Options that may stand beside --from; any other would make it another run."""


def generate(
    context: typer.Context,
    prompt: Annotated[str | None, typer.Argument(help="What the picture should show.", show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="Embedded name, diffusers folder or hub id owner/name.")] = None,
    method: Annotated[str, typer.Option(help="How to guide; see semguide methods.")] = DEFAULT_METHOD,
    compare: Annotated[list[str] | None, typer.Option(help="Another method to show beside it (repeatable).")] = None,
    concept: Annotated[list[str] | None, typer.Option(help="A concept to keep, instead of splitting.")] = None,
    negative: Annotated[str, typer.Option(help="Negative prompt.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the first image; the next count up.")] = 0,
    num_images: Annotated[int, typer.Option(help="Images per method.")] = 4,
    best_of: Annotated[int | None, typer.Option(help="Start so many seeds, finish the most promising.")] = None,
    keep: Annotated[int | None, typer.Option(help="How many of --best-of to finish; default: 1.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps, 1 to 1000; default: the model's.")] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="More than 1; default: the model's.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels; default: the model's.")] = None,
    width: Annotated[int | None, typer.Option(help="Pixels; default: the model's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Output folder; default: a new one below out/.")] = None,
    from_file: Annotated[Path | None, typer.Option("--from", help="Repeat the run of this run.json.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Method parameter KEY=VALUE.")] = None,
    backend: Annotated[str, typer.Option(help="Splits the prompt: lexicon, spacy or llm.")] = "lexicon",
    full_trace: Annotated[bool, typer.Option("--full-trace", help="Evaluate the concepts at every step.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run in the output folder.")] = False,
) -> None:
    """Make images of a prompt, one row per method and one column per seed, with everything to repeat them."""
    if from_file is not None:
        _refuse_beside_from(context)
        _repeat(from_file, out, overwrite, model, _given(context, "device", device))
        return
    check_best_of(best_of, keep, _typed(context, "num_images"))
    request = Request(
        prompt=prompt or "",
        model=model,
        method=method,
        compare=tuple(compare or ()),
        concepts=tuple(concept) if concept else None,
        negative_prompt=negative,
        seed=seed,
        num_images=best_of or num_images,
        num_inference_steps=steps,
        guidance_scale=guidance_scale,
        height=height,
        width=width,
        device=device,
        settings=parse_settings(setting, method),
        backend=backend,
        full_trace=full_trace,
    )
    check_numbers(request)
    if out is not None:
        check_writable(out)
    planned = plan(request)
    if best_of is None:
        _make(planned, out or default_out(planned.run), overwrite)
    else:
        _make_best(planned, out or default_out(planned.run, f"-best-{keep or 1}"), overwrite, keep or 1)


def default_out(run: Run, ending: str = "") -> Path:
    """Name the output folder of a run after its prompt and its hash: the same command finds its own folder again."""
    slug = re.sub(r"[^a-z0-9]+", "-", run.prompt.lower()).strip("-")[:48].strip("-")
    return Path("out") / f"{slug or 'run'}-{run.digest[:8]}{ending}"


def _repeat(file: Path, out: Path | None, overwrite: bool, model: str | None, device: str | None) -> None:
    from semguide.runs.repeat import compare, plan_repeat, read_recorded

    recorded = read_recorded(file)
    if out is not None:
        check_writable(out)
    planned = plan_repeat(recorded, model, device, out)
    folder = _survey(planned, out or recorded.default_out(), overwrite)
    for change in recorded.changes(folder.environment):
        warn(f"not as recorded: {change}")
    _fill(folder, planned)
    typer.echo(compare(recorded, folder))


def _make(planned: Plan, out: Path, overwrite: bool) -> None:
    folder = _survey(planned, out, overwrite)
    _fill(folder, planned)


def _make_best(planned: Plan, out: Path, overwrite: bool, keep: int) -> None:
    from semguide.cli.progress import progress_bar, seeds_bar
    from semguide.runs.environment import observe

    check_concepts(planned.run)
    check_writable(out)
    chooser = Chooser(out, planned, observe(planned.model.path), keep, overwrite)
    pipe, made = None, 0
    if not chooser.chosen:
        pipe = _loaded(planned)
        try:
            with seeds_bar(len(planned.run.seeds)) as on_start:
                chooser.choose(pipe, on_start)
            with progress_bar(chooser.folder.run, planned.rules, set()) as on_step:
                made = chooser.finish(on_step)
        except KeyboardInterrupt as error:
            _say_stopped(chooser.folder)
            raise typer.Exit(FAILURE) from error
    _fill(chooser.folder, planned, pipe, made)
    typer.echo(chooser.sentence())


def _survey(planned: Plan, out: Path, overwrite: bool) -> RunFolder:
    from semguide.runs.environment import observe

    check_writable(out)
    folder = RunFolder(out, planned.run, observe(planned.model.path))
    folder.survey(overwrite)
    for sentence in planned.warnings:
        warn(sentence)
    return folder


def _fill(folder: RunFolder, planned: Plan, pipe: Any = None, made: int = 0) -> None:
    """Make what is missing in a folder and say what was done; on Ctrl-C say how to go on.

    Args:
        folder: The folder.
        planned: The plan.
        pipe: Its pipeline, None if it is not loaded.
        made: How many of the images that are there were made by this call.
    """
    from semguide.runs.folder import finish

    kept, total = len(folder.records) - made, len(folder.run.methods) * len(folder.run.seeds)
    folder.open()
    try:
        if not folder.complete:
            _produce(folder, planned, pipe or _loaded(planned))
        finish(folder)
    except KeyboardInterrupt as error:
        _say_stopped(folder)
        raise typer.Exit(FAILURE) from error
    already = f" ({kept} of them were there already)" if kept else ""
    images = "1 image" if total == 1 else f"{total} images"
    typer.echo(f"{images}{already} of {', '.join(m.name for m in folder.run.methods)}: {folder.out}/grid.png")


def _say_stopped(folder: RunFolder) -> None:
    total = len(folder.run.methods) * len(folder.run.seeds)
    done = f"{len(folder.records)} of {total} images are finished in {folder.out}" if total else "no seed is chosen yet"
    say(f"stopped: {done}; run the same command again to go on")


def _produce(folder: RunFolder, planned: Plan, pipe: Any) -> None:
    from semguide.cli.progress import progress_bar
    from semguide.runs.folder import produce

    with progress_bar(folder.run, planned.rules, set(folder.records)) as on_step:
        produce(folder, planned.rules, pipe, on_step)


def _loaded(planned: Plan) -> Any:
    """Load the pipeline."""
    from semguide.models import load

    hush_libraries()
    pipe = load(str(planned.model.path), device=planned.run.device)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _given(context: typer.Context, name: str, value: str) -> str | None:
    return value if _typed(context, name) else None


def _typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse_beside_from(context: typer.Context) -> None:
    beside = [name for name in context.params if name not in BESIDE_FROM and _typed(context, name)]
    if beside:
        options = {"setting": "--set", "prompt": "PROMPT"}
        named = ", ".join(options.get(name, f"--{name.replace('_', '-')}") for name in beside)
        raise InvalidArgument(
            f"from (--from) repeats a run as it was, got {named} beside it; leave that out, or leave --from out "
            "(--out, --overwrite, --model and --device may stand beside --from)"
        )
