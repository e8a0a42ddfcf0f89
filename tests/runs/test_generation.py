from dataclasses import replace
from pathlib import Path

import pytest

from semguide import Edit, Edits
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
        (made.method.name, made.seed): pixel_hash(*made.frames)
        for made in generate_images(planned.run, planned.rules, pipe)
    }
    (made,) = generate_images(planned.run, planned.rules, pipe, skip={("cfg", 0), ("sgt-balanced", 0), ("cfg", 1)})
    assert pixel_hash(*made.frames) == whole["sgt-balanced", 1]


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


def test_steps_report_the_evaluations_of_edits(planned: Plan, pipe):
    edited = replace(planned.run, edits=Edits((Edit("a hat"), Edit("snow", "less", stop=0.5))), seeds=(0,))
    seen: dict[str, int] = {}

    def on_step(method: Method, seed: int, cost: int) -> None:
        seen[method.name] = seen.get(method.name, 0) + cost

    made = {
        made.method.name: made.evaluations for made in generate_images(edited, planned.rules, pipe, on_step=on_step)
    }
    assert seen == made
    assert made["cfg"] == 2 * 2 + 2 + 1
    assert all(total_evaluations(edited, rule) == made[name] for name, rule in planned.rules.items())


def test_retries_try_further_seeds_and_say_which_was_kept(planned: Plan, pipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("semguide.guidance.attempts.THRESHOLD", 2.0)  # none reaches it
    run = replace(planned.run, retries=2, seeds=(5,))
    plain, retried = generate_images(run, planned.rules, pipe)
    assert plain.attempts is None
    assert retried.attempts is not None
    assert [found["seed"] for found in retried.attempts] == [5, 10_005, 20_005]
    (kept,) = [found for found in retried.attempts if found["kept"]]
    assert kept["score"] == max(found["score"] for found in retried.attempts)
    assert retried.evaluations == sum(found["evaluations"] for found in retried.attempts)
    alone = [*generate_images(replace(planned.run, seeds=(kept["seed"],)), planned.rules, pipe)][1]
    assert pixel_hash(*retried.frames) == pixel_hash(*alone.frames)
    assert retried.seed == 5
    assert retried.method.name == alone.method.name


def test_an_image_that_promises_enough_is_that_without_retries(planned: Plan, pipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("semguide.guidance.attempts.THRESHOLD", 0.0)
    (*_, retried), (*_, alone) = (
        list(generate_images(replace(planned.run, retries=retries, seeds=(5,)), planned.rules, pipe))
        for retries in (3, 0)
    )
    assert pixel_hash(*retried.frames) == pixel_hash(*alone.frames)
    assert retried.evaluations == alone.evaluations


def test_a_lone_concept_is_not_tried_again(planned: Plan, pipe):
    run = replace(planned.run, retries=2, seeds=(5,), concepts=planned.run.concepts[:1])
    assert [made.attempts for made in generate_images(run, planned.rules, pipe)] == [None, None]


def test_the_progress_bar_shows_nothing_where_there_is_no_terminal(planned: Plan, capsys: pytest.CaptureFixture[str]):
    with progress_bar(planned.run, planned, {("cfg", 0)}) as on_step:
        on_step(planned.run.methods[0], 1, 2)
    assert capsys.readouterr() == ("", "")


def test_the_progress_bar_counts_images_on_a_terminal(
    planned: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar(planned.run, planned, {("cfg", 0)}) as on_step:
        on_step(planned.run.methods[1], 0, total_evaluations(planned.run, planned.rules["sgt-balanced"]))
    shown = capsys.readouterr().err
    assert "image 2 of 4: sgt-balanced, seed 0" in shown
    assert "100%" not in shown
