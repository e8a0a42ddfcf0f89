import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from semguide_emoji.training import loop
from semguide_emoji.training.loop import STATE, State, TrainingSettings, read_note, train
from support.refusals import refuses
from support.tiny_set import SETTINGS


class Line:
    """A recipe that fits a line; it stops like a killed process before a step."""

    def __init__(self, killed_before: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(3, 1)
        self.killed_before = killed_before
        self.sheets: list[str] = []

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        if index == self.killed_before:
            raise KeyboardInterrupt
        x = torch.randn(8, 3, generator=generator)
        return (self.model(x) - x.sum(dim=1, keepdim=True)).square().mean()

    def sheet(self, path: Path) -> None:
        self.sheets.append(path.name)
        assert not self.model.training


def weights(recipe: Line) -> list[Tensor]:
    return [p.detach().clone() for p in recipe.model.parameters()]


@pytest.mark.parametrize("muon", ["", "weight"])
def test_a_killed_run_goes_on_to_the_same_weights_to_the_bit(tmp_path: Path, muon: str):
    settings = replace(SETTINGS, steps=12, save_seconds=1e-9, muon=muon)
    whole, killed, resumed = Line(), Line(killed_before=7), Line()
    train(whole, settings, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(killed, settings, tmp_path / "parts")
    assert read_note(tmp_path / "parts" / STATE)["step"] == 7
    state = train(resumed, settings, tmp_path / "parts")
    assert state.step == 12
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    assert state.loss == read_note(tmp_path / "whole" / STATE)["loss"]


def test_muon_trains_the_matrices_that_are_named_and_adamw_the_rest():
    model = nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 4))
    kinds = dict(State(model, replace(SETTINGS, muon=r"^2\.")).optimizers)
    assert [p.shape for p in kinds["muon"].param_groups[0]["params"]] == [(4, 5)]
    assert len(kinds["optimizer"].param_groups[0]["params"]) == 5
    assert list(dict(State(model, SETTINGS).optimizers)) == ["optimizer"]


def test_a_run_that_is_out_of_time_is_written_and_goes_on(tmp_path: Path):
    settings = replace(SETTINGS, steps=5)
    stopped = train(Line(), replace(settings, minutes=1e-9), tmp_path / "parts")
    assert stopped.step == 1
    resumed, whole = Line(), Line()
    assert train(resumed, settings, tmp_path / "parts").step == 5
    train(whole, settings, tmp_path / "whole")
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_a_finished_run_is_not_trained_further(tmp_path: Path):
    first, again = Line(), Line()
    train(first, SETTINGS, tmp_path)
    train(again, SETTINGS, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))


def test_an_interrupted_save_leaves_the_last_good_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    train(Line(), SETTINGS, tmp_path)
    good = (tmp_path / STATE).read_bytes()

    def torn(tensors: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half of i")
        raise OSError("No space left on device")

    monkeypatch.setattr(loop, "save_file", torn)
    with pytest.raises(OSError, match="No space left"):
        train(Line(), replace(SETTINGS, steps=9), tmp_path)
    assert (tmp_path / STATE).read_bytes() == good
    monkeypatch.undo()
    assert train(Line(), replace(SETTINGS, steps=4), tmp_path).step == 4


def test_training_lowers_the_loss(tmp_path: Path):
    state = train(Line(), replace(SETTINGS, steps=200, learning_rate=0.05), tmp_path)
    first = float(Line().loss(0, torch.Generator().manual_seed(0)).detach())
    assert state.loss < 0.5 * first


def test_the_average_is_what_the_formula_gives(tmp_path: Path):
    recipe = Line()
    state = State(recipe.model, SETTINGS)
    expected = recipe.model.weight.detach().clone()
    for step in range(1, 30):
        with torch.no_grad():
            recipe.model.weight.fill_(float(step))
        state.step = step
        state.update_average(0.5)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    torch.testing.assert_close(state.average["weight"], expected)


def test_swapping_twice_changes_nothing_and_once_puts_the_average_in_place():
    recipe = Line()
    state = State(recipe.model, SETTINGS)
    with torch.no_grad():
        recipe.model.weight.add_(1.0)
    before, average = recipe.model.weight.detach().clone(), state.average["weight"].clone()
    state.swap()
    assert torch.equal(recipe.model.weight, average)
    state.swap()
    assert torch.equal(recipe.model.weight, before)


def test_without_averaging_the_weights_themselves_are_kept(tmp_path: Path):
    averaged, plain = Line(), Line()
    train(averaged, replace(SETTINGS, steps=6, ema=0.99), tmp_path / "a")
    train(plain, replace(SETTINGS, steps=6, ema=0.0), tmp_path / "b")
    assert not torch.equal(averaged.model.weight, plain.model.weight)


def test_frozen_parameters_stay_what_they_are(tmp_path: Path):
    recipe = Line()
    recipe.model.bias.requires_grad_(False)
    bias = recipe.model.bias.detach().clone()
    train(recipe, SETTINGS, tmp_path)
    assert torch.equal(recipe.model.bias, bias)


def test_sheets_and_log_and_settings_are_written(tmp_path: Path):
    recipe = Line()
    train(recipe, replace(SETTINGS, steps=5, sheet_steps=2), tmp_path)
    assert recipe.sheets == ["sheet-000002.png", "sheet-000004.png"]
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 5
    assert math.isfinite(last["loss"])
    assert TrainingSettings(**json.loads((tmp_path / "settings.json").read_text())).steps == 5
    assert not list(tmp_path.glob("*.tmp"))


def test_on_an_accelerator_loss_and_clock_are_read_every_20_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reads: list[int] = []

    def read(state: State) -> float:
        reads.append(state.step)
        return float(state._loss)

    monkeypatch.setattr(State, "loss", property(read))
    monkeypatch.setattr(TrainingSettings, "look_steps", property(lambda settings: 20))
    state = train(Line(), replace(SETTINGS, steps=50, save_seconds=1e9), tmp_path)
    assert state.step == 50
    assert [step for step in reads if step not in (0, 50)] == [20, 40]
    assert train(Line(), replace(SETTINGS, steps=90, minutes=1e-9), tmp_path).step == 60


def test_where_the_loss_is_read_and_the_optimiser_is_fused():
    for device, look, cuda in (("cpu", 1, False), ("cuda:1", 20, True), ("mps", 20, False)):
        settings = replace(SETTINGS, device=device)
        assert (settings.look_steps, settings.cuda) == (look, cuda)


def test_the_smoothed_loss_starts_with_the_first_and_moves_by_a_fiftieth():
    state = State(Line().model, SETTINGS)
    assert math.isnan(state.loss)
    for value in (2.0, 3.0):
        state.update_loss(torch.tensor(value))
    assert state.loss == pytest.approx(2.02)


def test_a_finished_run_keeps_the_settings_it_was_made_with(tmp_path: Path):
    train(Line(), SETTINGS, tmp_path)
    train(Line(), replace(SETTINGS, steps=1, learning_rate=0.5), tmp_path)
    assert json.loads((tmp_path / "settings.json").read_text())["learning_rate"] == SETTINGS.learning_rate


def test_the_rate_rises_stays_and_falls_to_a_twentieth():
    settings = TrainingSettings(steps=1000, batch_size=1, learning_rate=1.0, warmup=100)
    assert settings.rate(0) == pytest.approx(0.01)
    assert settings.rate(99) == settings.rate(799) == pytest.approx(1.0)
    assert settings.rate(900) == pytest.approx(0.525)
    assert settings.rate(1000) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("steps", "batch_size", "learning_rate", "warmup", "save_seconds", "sheet_steps")),
        *(("ema", value) for value in (-0.1, 1.0, float("nan"))),
        *(("minutes", value) for value in (0.0, -1.0)),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float):
    with refuses(name):
        replace(SETTINGS, **{name: value})
