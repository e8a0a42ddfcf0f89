from math import erf

import numpy as np
import pytest

from semguide.evaluation.bench.scores import p_value
from semguide.evaluation.bench.summary import by_category, summarise


def row(method: str, prompt: str, seed: int, verdicts: list[bool] | None, evaluations: int = 4, **rest) -> dict:
    right = None if verdicts is None else all(verdicts)
    base = {
        "findings": [],
        "verdicts": verdicts,
        "all_concepts": right,
        "evaluations": evaluations,
        "seconds": 0.5,
        "category": "c",
    }
    return {"method": method, "prompt": prompt, "seed": seed, **base, **rest}


ROWS = [
    row("cfg", "one", 0, [True, False]),
    row("cfg", "one", 1, [True, True]),
    row("cfg", "two", 0, [False, False]),
    row("cfg", "two", 1, [False, True]),
    row("sgt", "one", 0, [True, True], 6),
    row("sgt", "one", 1, [True, True], 6),
    row("sgt", "two", 0, [True, False], 6),
    row("sgt", "two", 1, [True, True], 8),
]


def test_means_are_over_prompts_and_agree_with_a_hand_computation():
    summary = summarise("s", "m", ["cfg", "sgt"], ROWS)
    assert list(summary) == ["suite", "model", "methods", "paired"]
    cfg, sgt = summary["methods"]["cfg"], summary["methods"]["sgt"]
    assert (cfg["all_concepts"]["mean"], cfg["per_concept"]["mean"]) == (0.25, 0.5)
    assert (sgt["all_concepts"]["mean"], sgt["per_concept"]["mean"]) == (0.75, 0.875)
    assert (sgt["evaluations_per_image"], sgt["seconds_per_image"], sgt["images"]) == (6.5, 0.5, 4)
    assert cfg["all_concepts"]["ci95"] == [0.0, 0.5]
    assert summary["paired"]["sgt-cfg"]["delta"] == 0.5
    assert summary["paired"]["sgt-cfg"]["ci95"] == [0.5, 0.5]


def test_a_summary_has_exactly_the_keys_of_the_contract():
    summary = summarise("s", "m", ["cfg", "sgt"], ROWS)
    for method in summary["methods"].values():
        assert set(method) == {
            "all_concepts",
            "per_concept",
            "evaluations_per_image",
            "seconds_per_image",
            "images",
            "metrics",
        }
        assert set(method["all_concepts"]) == set(method["per_concept"]) == {"mean", "ci95"}
    assert {key: set(value) for key, value in summary["paired"].items()} == {
        "sgt-cfg": {"delta", "ci95", "p", "metrics"}
    }


def test_every_method_is_compared_with_the_first():
    assert list(summarise("s", "m", ["cfg", "sgt", "sega"], ROWS)["paired"]) == ["sgt-cfg", "sega-cfg"]


def test_images_that_were_not_judged_count_as_images_only():
    unjudged = [row("cfg", "three", 0, None)]
    with_unjudged, without = (summarise("s", "m", ["cfg"], rows)["methods"]["cfg"] for rows in (ROWS + unjudged, ROWS))
    assert with_unjudged["all_concepts"] == without["all_concepts"]
    assert (with_unjudged["images"], without["images"]) == (5, 4)
    nothing = summarise("s", "m", ["cfg", "sgt"], unjudged)
    assert nothing["methods"]["cfg"]["all_concepts"] == {"mean": None, "ci95": None}
    assert nothing["paired"]["sgt-cfg"] == {"delta": None, "ci95": None, "p": None, "metrics": {}}


def test_a_wrong_position_makes_the_image_wrong_but_no_concept():
    rows = [row("cfg", "one", 0, [True, True], all_concepts=False)]
    cfg = summarise("s", "m", ["cfg"], rows)["methods"]["cfg"]
    assert (cfg["all_concepts"]["mean"], cfg["per_concept"]["mean"]) == (0.0, 1.0)


def test_categories_are_estimated_apart():
    rows = [*ROWS, row("cfg", "three", 0, [True], category="d")]
    found = by_category(["cfg", "sgt"], rows)
    assert (found["c"]["cfg"]["mean"], found["d"]["cfg"]["mean"]) == (0.25, 1.0)
    assert found["d"]["sgt"]["mean"] is None


def test_the_p_value_agrees_with_the_t_test_on_many_prompts():
    drawn = np.random.default_rng(1).normal(size=200)
    differences = (drawn - drawn.mean()) / drawn.std() + 0.14
    two_sided = 1 - erf(0.14 * np.sqrt(200) / np.sqrt(2))
    assert p_value(differences, 4000) == pytest.approx(two_sided, abs=0.015)


def test_no_difference_at_all_has_p_one_and_a_clear_one_the_least():
    assert p_value(np.zeros(20), 500) == 1.0
    assert p_value(np.linspace(0.9, 1.1, 20), 500) == pytest.approx(1 / 501)


def test_a_handful_of_prompts_cannot_have_a_small_p_value():
    for prompts in (1, 2, 4):
        assert p_value(np.ones(prompts)) == pytest.approx(2.0 ** (1 - prompts), abs=0.02)
