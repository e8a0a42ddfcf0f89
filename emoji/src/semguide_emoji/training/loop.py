"""The one training loop: seeded, resumable after a kill at any point, EMA, mixed precision, progress, sample sheets."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from semguide.errors import InvalidArgument
from semguide.files import atomic, parse_json, write_json, write_text


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast to train.

    Attributes:
        steps: Optimiser steps in all.
        batch_size: Scenes a step.
        learning_rate: Peak of AdamW's rate, reached after `warmup` steps; over the last fifth it falls to a twentieth.
        warmup: Steps of linear warm-up.
        ema: Decay of the weight average that is exported.
        seed: Of data, noise and initial weights.
        device: Where to train.
        save_seconds: How often the state is written.
        sheet_steps: How often a sample sheet is drawn.
        minutes: Stop after this long, state written; the same command goes on. None: no limit.
        muon: Pattern that the names of those matrices match which Muon trains in AdamW's place; "": none.

    Raises:
        InvalidArgument: A value is out of its range.
    """

    steps: int
    batch_size: int
    learning_rate: float = 1e-3
    warmup: int = 200
    ema: float = 0.999
    seed: int = 0
    device: str = "cpu"
    save_seconds: float = 20.0
    sheet_steps: int = 2000
    minutes: float | None = None
    muon: str = ""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "learning_rate", "warmup", "save_seconds", "sheet_steps"):
            if not getattr(self, name) > 0:
                raise InvalidArgument(name, "must be > 0", getattr(self, name))
        if self.minutes is not None and not self.minutes > 0:
            raise InvalidArgument("minutes", "must be > 0 (None for no limit)", self.minutes)
        if not 0.0 <= self.ema < 1.0:
            raise InvalidArgument("ema", "must be at least 0 (no averaging) and below 1", self.ema)

    @property
    def cuda(self) -> bool:
        """Whether it trains on an accelerator of CUDA's kind."""
        return self.device.startswith("cuda")

    @property
    def look_steps(self) -> int:
        """How often loss and clock are read: on an accelerator that waits for all that was queued."""
        return 1 if self.device == "cpu" else 20

    def rate(self, step: int) -> float:
        """Learning rate at a step."""
        tail = max(0.0, step / self.steps - 0.8) / 0.2
        return self.learning_rate * min(1.0, (step + 1) / self.warmup) * (1.0 - 0.95 * tail)


class Recipe(Protocol):
    """What one model adds to the loop."""

    @property
    def model(self) -> nn.Module:
        """What is trained: its parameters that require a gradient."""
        ...

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of training batch `index`; all noise comes from `generator`."""
        ...

    def sheet(self, path: Path) -> None:
        """Draw what the model can do now (its averaged weights are in place)."""
        ...


#: Name of the file that holds a run's state.
STATE = "state.safetensors"
#: Name of the file beside it, with the settings of the run.
SETTINGS = "settings.json"
#: Name of the file beside it, with a line each time the state is written.
LOG = "log.jsonl"


class State:
    """Weights, their average, optimiser and step, on disk as safetensors."""

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        self.model = model
        self.step = 0
        self.seconds = 0.0
        self._saved = time.monotonic()
        trained = [p for p in model.parameters() if p.requires_grad]
        self._loss = torch.tensor(float("nan"), device=trained[0].device)
        self.optimizers = list(_optimizers(model, settings))
        self.average = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @property
    def loss(self) -> float:
        """Smoothed loss, NaN before the first step; reading it waits for the device."""
        return float(self._loss)

    def update_loss(self, loss: Tensor) -> None:
        """Take a step's loss into the smoothed one, without waiting for the device."""
        loss = loss.detach().float()
        self._loss = torch.where(self._loss.isnan(), loss, torch.lerp(self._loss, loss, 0.02))

    def update_average(self, decay: float) -> None:
        """Move the average towards the weights, faster in the first steps."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        weights = [p.detach() for p in self.model.parameters() if p.requires_grad]
        torch._foreach_lerp_(list(self.average.values()), weights, 1.0 - decay)

    def swap(self) -> None:
        """Exchange weights and average."""
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                if name in self.average:
                    kept = p.detach().clone()
                    p.copy_(self.average[name])
                    self.average[name].copy_(kept)

    def save(self, folder: Path) -> None:
        """Write everything to one file, then rename, so that a kill leaves the last good state."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for kind, optimizer in self.optimizers:
            for index, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"{kind}.{index}.{k}": v for k, v in moments.items()}
        self._saved = time.monotonic()
        note = {"step": self.step, "seconds": self.seconds, "loss": self.loss}
        with atomic(folder / STATE) as temporary:
            save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, {"state": json.dumps(note)})

    @property
    def unsaved_seconds(self) -> float:
        """Seconds since the state was last written, or made."""
        return time.monotonic() - self._saved

    def load(self, path: Path) -> None:
        """Take up a state written by `save`."""
        note = read_note(path)
        tensors = load_file(path)
        self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        for name, value in self.average.items():
            value.copy_(tensors[f"average.{name}"])
        for kind, optimizer in self.optimizers:
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(f"{kind}."):
                    _, index, name = key.split(".")
                    moments.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        self.step, self.seconds = note["step"], note["seconds"]
        self._loss.fill_(note["loss"])


def _optimizers(model: nn.Module, settings: TrainingSettings) -> Iterator[tuple[str, torch.optim.Optimizer]]:
    """AdamW, and Muon (arXiv 2502.16982, steps as long as AdamW's) for the matrices that are to have it."""
    rate, rest, matrices = settings.learning_rate, list[Tensor](), list[Tensor]()
    for name, p in model.named_parameters():
        if p.requires_grad:
            chosen = settings.muon and p.ndim == 2 and re.search(settings.muon, name)
            (matrices if chosen else rest).append(p)
    yield (
        "optimizer",
        torch.optim.AdamW(rest, rate, betas=(0.9, 0.99), weight_decay=0.01, fused=settings.cuda or None),
    )
    if matrices:
        yield "muon", torch.optim.Muon(matrices, rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")


def read_note(path: Path) -> dict[str, Any]:
    """Read how far a state written by `State.save` is: step, seconds and loss; no weights are read."""
    with safe_open(path, "pt") as file:
        return parse_json(file.metadata()["state"])


def train(recipe: Recipe, settings: TrainingSettings, folder: Path) -> State:
    """Train until `settings.steps`, taking up what `folder` holds; the averaged weights are in the model at the end.

    Args:
        recipe: Model, loss and sheet.
        settings: How long and how fast; written beside the state, unless there is nothing left to do.
        folder: State, log and sheets; made if it is missing.

    Returns:
        The final state; `state.step < settings.steps` if the time was up first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe.model.to(settings.device).train()
    state = State(recipe.model, settings)
    if (folder / STATE).exists():
        state.load(folder / STATE)
    if state.step < settings.steps:
        write_json(folder / SETTINGS, asdict(settings))
    for _ in _steps(state, settings):
        _step(recipe, state, settings)
        if state.step % settings.sheet_steps == 0:
            _sheet(recipe, state, folder)
        if state.unsaved_seconds >= settings.save_seconds:
            _save(state, folder)
    _save(state, folder)
    state.swap()
    recipe.model.eval()
    return state


def _step(recipe: Recipe, state: State, settings: TrainingSettings) -> None:
    """One optimiser step; all randomness is a function of the seed and the step, drawn where the model is."""
    generator = torch.Generator(settings.device).manual_seed(settings.seed * 1_000_003 + state.step)
    for _, optimizer in state.optimizers:
        optimizer.param_groups[0]["lr"] = settings.rate(state.step)
    with torch.autocast(settings.device.split(":")[0], torch.bfloat16):
        loss = recipe.loss(state.step, generator)
    recipe.model.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_([p for p in recipe.model.parameters() if p.requires_grad], 1.0)
    for _, optimizer in state.optimizers:
        optimizer.step()
    state.step += 1
    state.update_average(settings.ema)
    state.update_loss(loss)


def _save(state: State, folder: Path) -> None:
    """Write the state, and a line of the log."""
    state.save(folder)
    line = json.dumps({"step": state.step, "loss": state.loss, "seconds": round(state.seconds, 1)})
    before = (folder / LOG).read_text(encoding="utf-8") if (folder / LOG).exists() else ""
    write_text(folder / LOG, f"{before}{line}\n")


def _sheet(recipe: Recipe, state: State, folder: Path) -> None:
    state.swap()
    recipe.model.eval()
    with torch.no_grad():
        recipe.sheet(folder / f"sheet-{state.step:06d}.png")
    recipe.model.train()
    state.swap()


def _steps(state: State, settings: TrainingSettings) -> Iterator[int]:
    """Count steps under a progress bar, until done or out of time."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.4f}"))
    rate = TextColumn("{task.fields[rate]:.0f} images/s")
    start, before, first = time.monotonic(), state.seconds, state.step
    with Progress(*columns, rate, TimeRemainingColumn(), refresh_per_second=1) as progress:
        task = progress.add_task("", total=settings.steps, completed=state.step, loss=state.loss, rate=0.0)
        while state.step < settings.steps:
            yield state.step
            if state.step % settings.look_steps and state.step < settings.steps:
                continue
            loss = state.loss  # waits for the device, so that the clock is right
            elapsed = time.monotonic() - start
            state.seconds = before + elapsed
            rate_now = (state.step - first) * settings.batch_size / elapsed
            progress.update(task, completed=state.step, loss=loss, rate=rate_now)
            if settings.minutes is not None and elapsed > settings.minutes * 60:
                return
