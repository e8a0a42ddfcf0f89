from pathlib import Path

import pytest

from semguide.cli.progress import progress_bar, total_evaluations
from semguide.models import load
from semguide.runs.generation import generate_images
from semguide.runs.png import pixel_hash
from semguide.runs.request import Plan, Request, plan_run
from semguide.runs.run import Method


@pytest.fixture
def planned(tiny: Path) -> Plan:
    settings = Request("a red book and a vase", str(tiny), compare=("cfg",), num_images=2, num_inference_steps=2)
    return plan_run(settings)


@pytest.fixture(scope="module")
def pipe(tiny: Path):
    pipe = load(str(tiny), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_images_come_one_by_one_all_methods_of_a_seed_first(planned: Plan, pipe):
    order = [(made.method.name, made.seed) for made in generate_images(planned.run, planned.rules, pipe)]
    assert order == [("cfg", 0), ("sgt-balanced", 0), ("cfg", 1), ("sgt-balanced", 1)]


def test_skipped_images_are_not_made_and_change_no_other(planned: Plan, pipe):
    whole = {
        (made.method.name, made.seed): pixel_hash(made.image)
        for made in generate_images(planned.run, planned.rules, pipe)
    }
    (made,) = generate_images(planned.run, planned.rules, pipe, skip={("cfg", 0), ("sgt-balanced", 0), ("cfg", 1)})
    assert pixel_hash(made.image) == whole["sgt-balanced", 1]


def test_steps_report_as_many_evaluations_as_the_image_took(planned: Plan, pipe):
    seen: dict[tuple[str, int], int] = {}

    def on_step(method: Method, seed: int, cost: int) -> None:
        seen[method.name, seed] = seen.get((method.name, seed), 0) + cost

    made = {
        (made.method.name, made.seed): made.evaluations
        for made in generate_images(planned.run, planned.rules, pipe, on_step=on_step)
    }
    assert seen == made
    assert all(total_evaluations(planned.run, rule) == made[name, 0] for name, rule in planned.rules.items())


def test_the_progress_bar_shows_nothing_where_there_is_no_terminal(planned: Plan, capsys: pytest.CaptureFixture[str]):
    with progress_bar(planned.run, planned.rules, {("cfg", 0)}) as on_step:
        on_step(planned.run.methods[0], 1, 2)
    assert capsys.readouterr() == ("", "")


def test_the_progress_bar_counts_images_on_a_terminal(
    planned: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar(planned.run, planned.rules, {("cfg", 0)}) as on_step:
        on_step(planned.run.methods[1], 0, total_evaluations(planned.run, planned.rules["sgt-balanced"]))
    shown = capsys.readouterr().err
    assert "image 2 of 4: sgt-balanced, seed 0" in shown
    assert "100%" not in shown
