"""A progress bar over images and denoiser evaluations, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from semguide.runs.generation import OnStep
from semguide.runs.run import Method, Run

if TYPE_CHECKING:
    from semguide.guidance import Rule
    from semguide.guidance.rule import Branches
    from semguide.runs.request import Plan
    from semguide.selection import Candidate


@contextmanager
def progress_bar(run: Run, planned: Plan, done: set[tuple[str, int]]) -> Iterator[OnStep]:
    """Show a bar on stderr while the images of a run are made; give the callback that moves it.

    Args:
        run: The run, or that with some of its seeds.
        planned: Its plan.
        done: Images that are there already: method name and seed.
    """
    from semguide.adapters.pipelines.own_scale import branches

    evaluated = branches(planned.model, run.sampling.guidance_scale)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        costs = {m.name: total_evaluations(run.alone(m), planned.rules[m.name], evaluated) for m in run.methods}
        left = {(name, seed): cost for name, cost in costs.items() for seed in run.seeds}
        images = len(left)
        task = bar.add_task("starting", total=sum(cost for key, cost in left.items() if key not in done))
        seen = set(done)

        def on_step(method: Method, seed: int, cost: int) -> None:
            key = (method.name, seed)
            seen.add(key)
            counted = min(cost, left[key])  # an image that is tried again takes more than was counted for it
            left[key] -= counted
            bar.update(task, advance=counted, description=f"image {len(seen)} of {images}: {method.name}, seed {seed}")

        yield on_step


@contextmanager
def seeds_bar(count: int) -> Iterator[Callable[[Candidate], None]]:
    """Show a bar on stderr while the first steps of `count` seeds are made; give the callback that moves it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("first steps", total=count)

        def on_start(candidate: Candidate) -> None:
            bar.update(task, advance=1, description=f"first steps: seed {candidate.seed}, {candidate.score:.2f}")

        yield on_start


@contextmanager
def count_bar(what: str, count: int) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr over `count` things; give the callback that moves it by one."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=count)
        yield lambda: bar.update(task, advance=1)


def total_evaluations(run: Run, rule: Rule[Any], branches: Branches = "both") -> int:
    """Return the denoiser evaluations that one image of a rule takes in a run; `branches` as `Rule.evaluations`."""
    from semguide.guidance.edits import edit_evaluations

    steps = run.sampling.num_inference_steps
    own = rule.evaluations_per_image(steps, len(run.concepts), full_trace=run.full_trace, branches=branches)
    return own + edit_evaluations(run.edits, steps)
