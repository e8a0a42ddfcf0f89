"""Runs without guidance, as of checkpoints of a few steps."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import LCMScheduler

from semguide.cli.progress import total_evaluations
from semguide.models import describe, load
from semguide.runs.best_of import check_scored
from semguide.runs.generation import call_arguments, generate_images, step_arguments
from semguide.runs.request import Request, plan_run
from support.families.table import FEW_STEPS
from support.refusals import refuses

PROMPT = "a cat and a dog"


def request(folder: Path, **changes: Any) -> Request:
    given = {"guidance_scale": 1.0, "num_inference_steps": 4, "num_images": 1}
    return Request(PROMPT, str(folder), **{**given, **changes})


@pytest.fixture(scope="module")
def lcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a latent consistency model."""
    folder = tmp_path_factory.mktemp("lcm")
    FEW_STEPS["lcm"].make().save_pretrained(folder)
    return folder


def test_the_default_method_is_steered_and_counts_what_it_evaluates(tiny: Path):
    planned = plan_run(request(tiny, compare=("cfg",)))
    pipe: Any = load(str(tiny), "cpu")
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    told: dict[str, list[int]] = {"cfg": [], "sgt-balanced": []}
    made = list(
        generate_images(
            planned.run, planned.rules, pipe, on_step=lambda method, _, cost: told[method.name].append(cost)
        )
    )
    assert told == {"cfg": [1] * 4, "sgt-balanced": [3, 3, 1, 1]}
    assert [image.evaluations for image in made] == [4, 8]
    assert [total_evaluations(planned.run, rule, "conditional") for rule in planned.rules.values()] == [4, 8]
    assert made[0].image != made[1].image
    assert [image.alignment for image in made] == [None, None]
    assert [image.alignment_score is None for image in made] == [True, False]


@pytest.mark.parametrize(
    ("changes", "argument", "told"),
    [
        ({"method": "sgt-v1"}, "method", "must be sgt-balanced or cfg"),
        ({"compare": ("sgt-v2",)}, "compare", "must be sgt-balanced or cfg"),
        ({"settings": {"sgt-balanced": {"uncond_every": 2}}}, "settings", "must leave uncond_every at 1"),
    ],
)
def test_what_needs_guidance_is_refused_with_what_would_give_it(
    tiny: Path, changes: dict[str, Any], argument: str, told: str
):
    with refuses(argument, told) as caught:
        plan_run(request(tiny, **changes))
    assert argument == "settings" or caught.value.remedy == "give {guidance_scale} more than 1, if the model guides"


def test_seeds_can_be_chosen_by_the_score(tiny: Path):
    check_scored(plan_run(request(tiny)))
    assert plan_run(request(tiny, retries=2)).run.retries == 2


def test_a_negative_prompt_is_told_to_change_nothing_and_is_left_out(tiny: Path, lcm: Path):
    for folder, remedy in ((tiny, "give {guidance_scale} more than 1, if the model guides"), (lcm, "")):
        planned = plan_run(request(folder, negative_prompt="blurry"))
        (told,) = planned.warnings
        assert "the negative prompt changes nothing" in told.message
        assert told.remedy == remedy
        assert "negative_prompt" not in call_arguments(planned.run, load(str(folder), "cpu"))
    assert plan_run(request(tiny, negative_prompt="blurry", guidance_scale=7.5)).warnings == ()


def test_a_latent_consistency_model_is_described_planned_and_drawn(lcm: Path):
    assert describe(str(lcm)).distilled
    planned = plan_run(Request(PROMPT, str(lcm), num_images=1, negative_prompt="blurry"))
    assert (planned.run.sampling.num_inference_steps, planned.run.sampling.guidance_scale) == (4, 8.5)
    pipe: Any = load(str(lcm), "cpu")
    pipe.set_progress_bar_config(disable=True)
    (image,) = generate_images(planned.run, planned.rules, pipe)
    assert image.evaluations == 8
    with refuses("method", "must be sgt-balanced or cfg") as caught:
        plan_run(Request(PROMPT, str(lcm), method="sgt-v1"))
    assert caught.value.remedy == ""


def test_in_a_budget_few_steps_are_no_reason_to_leave_concepts_out(tiny: Path):
    wanted = Request("a cat, a dog and a bird", str(tiny), guidance_scale=1.0, evaluations=10, num_images=1)
    planned = plan_run(wanted)
    assert len(planned.run.concepts) == 3
    assert planned.run.sampling.num_inference_steps == 4  # 4 for the prompt and 2 for each of 3 concepts
    assert planned.warnings == ()
    plain = plan_run(replace(wanted, evaluations="plain", method="cfg"))
    assert plain.run.evaluations == plain.run.sampling.num_inference_steps


def test_sana_sprint_takes_a_middle_step_of_two_only():
    pipe = FEW_STEPS["sana-sprint"].make()
    assert step_arguments(pipe, 4) == {"intermediate_timesteps": None}
    assert step_arguments(pipe, 2) == {}
    assert step_arguments(SimpleNamespace(__call__=None), 4) == {}
    given = {"num_inference_steps": 4, "output_type": "latent", "height": 32, "width": 32}
    made = pipe(PROMPT, use_resolution_binning=False, **given, **step_arguments(pipe, 4)).images
    assert isinstance(made, torch.Tensor)
