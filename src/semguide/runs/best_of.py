"""The run of `semguide generate --best-of`: the first steps of many seeds, then the rest of the best-scored ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.runs.environment import Environment
from semguide.runs.folder import RunFolder
from semguide.runs.generation import OnStep, call_arguments, finish_partial_run
from semguide.runs.request import LARGEST_NUM_IMAGES, Plan
from semguide.runs.seed_selection import SeedSelection, read_selection, selection_key

if TYPE_CHECKING:
    from semguide.selection import Candidate, PartialRun


def check_best_of(best_of: int | None, keep: int | None, num_images_given: bool) -> None:
    """Check how many seeds are started and how many are finished.

    Args:
        best_of: Seeds to start, 1 to 10,000; None: the option is not given.
        keep: Seeds to finish, 1 to `best_of`; None: the option is not given.
        num_images_given: Whether --num-images is given.

    Raises:
        InvalidArgument: A number is out of range, or options do not go together.
    """
    if best_of is None:
        if keep is not None:
            raise InvalidArgument("keep", "must stand beside {best_of}", keep, "give {num_images} for more images")
        return
    if num_images_given:
        raise InvalidArgument("num_images", "must not stand beside {best_of}", remedy="{keep} says how many it makes")
    if not 1 <= best_of <= LARGEST_NUM_IMAGES:
        raise InvalidArgument("best_of", f"must be from 1 to {LARGEST_NUM_IMAGES}", best_of, "try 8")
    if keep is not None and not 1 <= keep <= best_of:
        raise InvalidArgument("keep", f"must be from 1 to {{best_of}} ({best_of})", keep, "try 1")


def check_scored(plan: Plan) -> None:
    """Check that a run has concepts by which seeds can be scored.

    Raises:
        InvalidArgument: The prompt has no concept.
    """
    if not plan.run.concepts:
        rule = "must have a concept to choose by, of which the prompt has none"
        raise InvalidArgument("best_of", rule, remedy="name some with {concepts}")


class BestOfRun:
    """A run that finishes only its best-scored seeds, in a folder.

    Args:
        out: The folder.
        plan: The run, with all seeds; the images of its last method are scored.
        environment: Checkpoint, versions and device.
        keep: Seeds to finish, >= 1.
        overwrite: Whether images of another run may be removed.

    Raises:
        InvalidArgument: The folder holds other files, and `overwrite` is false.
    """

    def __init__(self, out: Path, plan: Plan, environment: Environment, keep: int, overwrite: bool) -> None:
        self._run, self._keep, self._overwrite = plan.run, keep, overwrite
        self._method = plan.run.methods[-1]
        self._rule = plan.rules[self._method.name]
        self._key = selection_key(plan.run, keep, environment.identity())
        self._out, self._environment = out, environment
        known = read_selection(out, self._key)
        self.folder = self._folder(known)
        """The folder of the selected seeds; of no seeds before `select`."""
        self.selected = known is not None
        """Whether the seeds have been selected, by this call or an earlier one."""
        self._starts: list[PartialRun] = []

    def select(self, pipe: Any, on_start: Callable[[Candidate], None]) -> None:
        """Run the first steps of all seeds, select the best-scored ones and open their folder.

        Args:
            pipe: The pipeline of the run's model.
            on_start: Called with each scored seed.
        """
        from semguide.adapters import steer
        from semguide.selection import SignalScore
        from semguide.selection.best_of import start_all

        run = self._run
        steered, arguments = steer(pipe, self._rule), call_arguments(run.alone(self._method), pipe)
        self._starts, candidates = start_all(
            steered, run.prompt, run.seeds, self._keep, SignalScore(), arguments, on_start
        )
        seeds = tuple(start.seed for start in self._starts)
        self.folder = self._folder(SeedSelection(self._key, self._method.name, tuple(candidates), seeds))
        self.folder.open()

    def finish(self, on_step: OnStep) -> int:
        """Run the remaining steps of the selected seeds.

        Args:
            on_step: Called after each step.

        Returns:
            How many images were generated.
        """
        run, count = self.folder.run, len(self._starts)
        while self._starts:
            self.folder.add(finish_partial_run(run, self._method, self._starts.pop(0), on_step))
        return count

    def summary(self) -> str:
        """Return a sentence with the selected seeds and the evaluations of all seeds."""
        seeds, selection = self.folder.run.seeds, self.folder.selection
        cost = 0 if selection is None else selection.to_json(self.folder.records)["evaluations"]
        which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
        return f"chosen: {which} of {len(self._run.seeds)}; {cost} denoiser evaluations of {self._method.name}"

    def _folder(self, selection: SeedSelection | None) -> RunFolder:
        run = replace(self._run, seeds=() if selection is None else selection.seeds)
        folder = RunFolder(self._out, run, self._environment, selection=selection)
        folder.scan(self._overwrite)
        return folder
