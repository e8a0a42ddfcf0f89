from pathlib import Path
from typing import Any

import pytest

from semguide import Edit, Edits
from semguide.models import load
from semguide.runs.estimate import estimate
from semguide.runs.generation import generate_images
from semguide.runs.request import Request, plan_run

EDITS = Edits((Edit("a hat"), Edit("snow", "less", stop=0.5)))


@pytest.fixture(scope="module")
def pipe(tiny: Path) -> Any:
    pipe = load(str(tiny), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("options", [{}, {"edits": EDITS}, {"full_trace": True}, {"concepts": ("a red book",)}])
def test_an_image_takes_what_was_estimated(tiny: Path, pipe: Any, options: dict[str, Any]):
    request = Request(
        "a red book and a vase", str(tiny), compare=("cfg", "sgt-v1"), num_inference_steps=5, num_images=1
    )
    planned = plan_run(Request(**{**vars(request), **options}))
    told = {cost.method: (cost.evaluations, cost.most) for cost in estimate(planned)}
    made = {i.method.name: (i.evaluations, i.evaluations) for i in generate_images(planned.run, planned.rules, pipe)}
    assert told == made


@pytest.mark.parametrize("threshold", [0.0, 2.0])
def test_seeds_that_are_tried_are_counted_as_one_and_as_all(
    tiny: Path, pipe: Any, threshold: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("semguide.guidance.attempts.THRESHOLD", threshold)
    options = {"retries": 2, "edits": EDITS, "num_inference_steps": 5, "num_images": 1, "compare": ("cfg",)}
    planned = plan_run(Request("a red book and a vase", str(tiny), **options))
    told = {cost.method: cost.most if threshold else cost.evaluations for cost in estimate(planned)}
    assert told == {i.method.name: i.evaluations for i in generate_images(planned.run, planned.rules, pipe)}
