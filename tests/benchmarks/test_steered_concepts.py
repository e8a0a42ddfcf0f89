"""Which concepts the benchmark steers, and how it judges what is worn; no picture is made here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from semguide.evaluation.judging import Detection
from semguide.guidance import Predictions, Step

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "steered_concepts.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("steered_concepts", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["steered_concepts"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("x", "y", "worn"), [(0.5, 0.3, True), (0.5, 0.45, True), (0.9, 0.3, False), (0.5, 0.9, False)]
)
def test_an_accessory_is_worn_where_it_lies_on_its_wearer(script: ModuleType, x: float, y: float, worn: bool) -> None:
    prompt = script.worn_prompt("a wearer alone", [("cat", "crown", "red")], None)
    seen = [
        Detection("cat", "orange", True, 0.5, 0.5, 0.4, 0.9),
        Detection("crown", "red", False, x, y, 0.2, 0.9),
    ]
    assert script.have_what_they_wear(seen, prompt.concepts) == [worn]


def test_a_wearer_and_what_it_wears_are_steered_apart_as_one_or_both(script: ModuleType) -> None:
    prompts, arms = script.groups("emoji-unet")["worn"]["a wearer and a thing"]
    found = {name: [concept.text for concept in arm.chosen(prompts[0])] for name, arm in arms.items()}
    cat, crown, thing = found["all"]
    (whole, _) = found["whole"]
    assert whole.startswith(cat)
    assert whole.endswith(crown)
    assert found["both"] == [whole, cat, crown, thing]


def test_after_the_first_step_only_the_concepts_of_least_cosine_are_steered(script: ModuleType) -> None:
    rule = script.Lagging(few=2)
    prompt = torch.tensor([1.0, 0.0]).reshape(2, 1, 1)
    concepts = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.1]]).reshape(3, 2, 1, 1)
    predictions = Predictions(torch.zeros_like(prompt), prompt, concepts)
    _, chosen = rule.correct(predictions, Step(0, 10, 7.0), None)
    assert sorted(chosen.tolist()) == [1, 2]
    correction, _ = rule.correct(predictions, Step(1, 10, 7.0), chosen)
    assert correction.similarity.shape == (3,)
    assert rule.evaluations_per_image(25, 4) == 50 + 4 + 9 * 2
