"""`semguide bench`: methods on the prompts of a suite, judged; run again to go on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semguide.cli import loading
from semguide.cli.console import FAILURE, hush_libraries, say
from semguide.cli.settings import parse_evaluations, parse_settings
from semguide.evaluation.bench.request import BenchPlan, BenchRequest, check_bench, check_ray, parse_shard, plan_bench
from semguide.evaluation.bench.scorer_folders import ScorerRequest
from semguide.runs.folder import check_writable

if TYPE_CHECKING:
    from rich.table import Table

    from semguide.evaluation.bench.export import Export
    from semguide.evaluation.bench.folder import BenchFolder
    from semguide.evaluation.bench.plan import BenchTask

OnRow = Callable[[dict[str, Any]], None]


def bench(
    suite: Annotated[str, typer.Option(help="A name of semguide suites, or an official prompt file.")],
    methods: Annotated[str, typer.Option(help="Methods, comma-separated; the others are compared with the first.")],
    out: Annotated[Path, typer.Option(help="Output folder; rows that are there are not made again.")],
    model: loading.Model = None,
    seeds: Annotated[int, typer.Option(help="Images per prompt and method: seeds 0, 1, ...")] = 8,
    split: Annotated[str, typer.Option(help="validation (to tune on), test (to report) or all.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Prompts at most, a fair choice; default: all.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes, or actors of Ray; each loads the model.")] = 1,
    ray: Annotated[str, typer.Option(help="Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or local.")] = "",
    shard: Annotated[str | None, typer.Option(help="I/N: make one of N parts; merge with a call without it.")] = None,
    num_inference_steps: Annotated[
        int | None, typer.Option("--steps", help="Denoising steps, 1 to 1000; default: the model's.")
    ] = None,
    evaluations: Annotated[
        str | None, typer.Option(help="Denoiser evaluations an image, in the place of --steps; or plain: 2 a step.")
    ] = None,
    guidance_scale: Annotated[float | None, typer.Option(help="1: none; default: the model's.")] = None,
    num_frames: Annotated[int | None, typer.Option(help="Frames of a video, 1 to 1000; default: the model's.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Method parameter METHOD.KEY=VALUE.")] = None,
    judge: Annotated[str | None, typer.Option(help="Folder of a judge, or none; default: the embedded one.")] = None,
    clip: Annotated[
        str | None, typer.Option(help="Folder of a CLIP, or none; default: emoji-clip with an embedded model.")
    ] = None,
    vqa: Annotated[str | None, typer.Option(help="Folder of a BLIP that answers questions, for VQAScore.")] = None,
    blip_vqa: Annotated[str | None, typer.Option(help="Folder of such a BLIP, for T2I-CompBench's BLIP-VQA.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    dtype: loading.Dtype = "auto",
    variant: loading.Variant = None,
    offload: loading.Offload = "none",
    vae_tiling: loading.VaeTiling = False,
    loras: loading.Loras = None,
    embeddings: loading.Embeddings = None,
    scheduler: loading.Scheduler = None,
    config: loading.Config = None,
    full_trace: Annotated[bool, typer.Option("--full-trace", help="Evaluate the concepts at every step.")] = False,
    keep_images: Annotated[bool, typer.Option("--keep-images", help="Keep the pictures, and show some.")] = False,
    export: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            help="geneval, geneval2, t2i-compbench, dpg-bench, tifa, dsg or genai-bench, and a folder: keep the "
            "pictures, and copy them in that layout."
        ),
    ] = None,
) -> None:
    """Measure methods on a suite of prompts: results.parquet, summary.json and report.html in the output folder."""
    request = BenchRequest(
        suite=suite,
        methods=methods,
        model=model,
        seeds=seeds,
        split=split,
        limit=limit,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        num_frames=num_frames,
        settings=parse_settings(settings, None),
        judge=judge,
        device=device,
        full_trace=full_trace,
        keep_images=keep_images or export is not None,
        scorers=ScorerRequest(clip, vqa, blip_vqa),
        loading=loading.load_options(dtype, variant, offload, vae_tiling, loras, embeddings, scheduler, config),
        evaluations=parse_evaluations(evaluations),
    )
    check_bench(request, jobs)
    how = How(jobs, ray, None if shard is None else parse_shard(shard))
    layout = None if export is None else _checked_export(*export, suite)
    check_ray(ray)
    check_writable(out)
    folder = _measure(plan_bench(request), out, how)
    if layout is not None and how.part is None:
        typer.echo(f"exported: {', '.join(str(path) for path in layout.write(folder))}")


def _checked_export(layout: str, target: Path, suite: str) -> Export:
    from semguide.evaluation.bench.export import Export

    export = Export(layout, target, suite)
    export.check()
    return export


@dataclass(frozen=True)
class How:
    """How a benchmark is made: processes, Ray address ("" for none), and which part of it (None: all)."""

    processes: int
    ray: str
    part: tuple[int, int] | None

    @property
    def label(self) -> str:
        """How the names of the row files begin."""
        return "all" if self.part is None else f"{self.part[0]}-of-{self.part[1]}"


def _measure(planned: BenchPlan, out: Path, how: How) -> BenchFolder:
    from semguide.evaluation.bench.folder import REPORT, BenchFolder
    from semguide.evaluation.bench.results import write_results

    folder = BenchFolder(out, planned.bench)
    folder.scan()
    for warning in planned.warnings:
        warnings.warn(warning, stacklevel=1)
    jobs = planned.bench.tasks() if how.part is None else planned.bench.shard(*how.part)
    missing = folder.missing(jobs)
    folder.open()
    if missing:
        make_missing(planned, folder, missing, how)
    there = f"{len(jobs)} images ({len(jobs) - len(missing)} of them were there already)"
    if how.part is not None:
        part = f"{how.part[0]}/{how.part[1]}"
        typer.echo(f"shard {part}: {there}: {out}; a call without --shard sums all shards up")
        return folder
    print_summary(write_results(folder))
    typer.echo(f"{there}: {out / REPORT}")
    return folder


def make_missing(planned: BenchPlan, folder: BenchFolder, missing: list[BenchTask], how: How) -> None:
    """Make the missing images of an opened folder; on Ctrl-C say how to go on."""
    from semguide.evaluation.bench.plan import Execution
    from semguide.evaluation.bench.workers import run_tasks

    folder.forget_summary()
    if how.part is None:
        folder.compact()
    work = Execution(planned.bench, folder.out, planned.device, how.label, how.processes, how.ray, quieten)
    try:
        with _progress(len(missing)) as show:
            run_tasks(work, missing, show)
    except KeyboardInterrupt as error:
        folder.refresh() if how.part is not None else folder.compact()
        finished = len(missing) - len(folder.missing(missing))
        say(
            f"stopped: {finished} of the {len(missing)} missing images are finished in {folder.out}; "
            "run the same command again to go on"
        )
        raise typer.Exit(FAILURE) from error


@contextmanager
def _progress(total: int) -> Iterator[OnRow]:
    """Show a bar over images on stderr, on a terminal only; give the callback that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("images", total=total)

        def show(row: dict[str, Any]) -> None:
            bar.update(task, advance=1, description=f"{row['method']}, seed {row['seed']}")

        yield show


def quieten() -> None:
    """Silence the libraries of a process that makes images; in processes of their own, warnings too.

    That a rule never acts on a prompt, which may have one concept only, is no news where all prompts of a suite count.
    """
    import warnings
    from multiprocessing import parent_process

    from semguide.errors import CorrectedNothing, RuleNeverActed

    hush_libraries()
    warnings.simplefilter("ignore", RuleNeverActed)
    warnings.simplefilter("always", CorrectedNothing)
    if parent_process() is not None:
        warnings.simplefilter("ignore")


def _table(head: Sequence[str]) -> Table:
    """Return an empty table whose headings are whole at 80 columns; intervals go over several lines."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    whole = ("method", "evaluations", "seconds", "p")
    columns = [Column(name, min_width=max(map(len, name.split())), no_wrap=name in whole) for name in head]
    return Table(*columns, box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))


def print_summary(summary: dict[str, Any]) -> None:
    """Print the methods with their shares, costs and metrics."""
    from rich.console import Console

    from semguide.evaluation.report.page import interval, metrics_rows

    table = _table(("method", "all concepts", "per concept", "evaluations", "seconds", "against the first", "p"))
    first = next(iter(summary["methods"]))
    for name, found in summary["methods"].items():
        pair = summary["paired"].get(f"{name}-{first}")
        compared = "" if pair is None else interval({"mean": pair["delta"], "ci95": pair["ci95"]})
        p = "" if pair is None or pair["p"] is None else f"{pair['p']:.4f}"
        table.add_row(
            name,
            *(interval(found[key]) for key in ("all_concepts", "per_concept")),
            f"{found['evaluations_per_image']:.1f}",
            f"{found['seconds_per_image']:.2f}",
            compared,
            p,
        )
    Console().print(table)
    head, rows = metrics_rows(summary)
    if rows:
        more = _table(head)
        for row in rows:
            more.add_row(*row)
        Console().print(more)
