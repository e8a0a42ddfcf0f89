import numpy as np
import pytest

from semguide.evaluation.bench.row_metrics import DISTANCE, METRICS, compare_metrics, summarise_metrics
from semguide.evaluation.metrics.features import pack

RNG = np.random.default_rng(0)


def row(prompt: str, seed: int, **more) -> dict:
    return {"prompt": prompt, "seed": seed, "verdicts": None, "findings": None, **more}


def scored(shift: float) -> list[dict]:
    """Two prompts with three seeds each, everything measured."""
    found = [{"confidence": 0.9}, {"confidence": 0.5}]
    return [
        row(
            prompt,
            seed,
            verdicts=[True],
            findings=found if seed else [],
            clip_similarity=0.5 + shift,
            clip_weakest=0.25 * seed + shift,
            vqa_score=None,
            clip_feature=pack(np.eye(4)[seed] + shift),
            rendered_feature=pack(np.eye(4)[seed]),
        )
        for prompt in ("one", "two")
        for seed in range(3)
    ]


def test_rows_without_scores_have_no_metrics():
    assert summarise_metrics([row("one", 0), row("two", 0)]) == {}
    assert compare_metrics([row("one", 0)], [row("one", 0)]) == {}


def test_metrics_are_means_over_prompts_and_agree_with_a_hand_computation():
    found = summarise_metrics(scored(0.0))
    assert set(found) == {"clip_similarity", "clip_weakest", "diversity", "judge_confidence", DISTANCE}
    assert found["clip_weakest"]["mean"] == pytest.approx(0.25)
    assert found["judge_confidence"]["mean"] == pytest.approx((0.0 + 0.7 + 0.7) / 3)
    assert found["diversity"]["mean"] == pytest.approx(1.0)
    assert found["diversity"]["ci95"] == [pytest.approx(1.0)] * 2
    assert found[DISTANCE] == pytest.approx(0.0, abs=1e-6)


def test_a_prompt_with_one_image_has_no_diversity():
    rows = scored(0.0)
    assert METRICS["diversity"]([rows[0], rows[3], rows[4]]).keys() == {"two"}


def test_methods_are_compared_prompt_by_prompt_and_the_distance_by_its_difference():
    found = compare_metrics(scored(0.5), scored(0.0))
    assert found["clip_similarity"]["delta"] == pytest.approx(0.5)
    assert set(found["clip_similarity"]) == {"delta", "ci95", "p"}
    assert found["diversity"]["delta"] < 0
    assert found[DISTANCE] == {"delta": pytest.approx(4 * 0.25)}


def test_a_metric_that_one_method_lacks_is_not_compared():
    assert "clip_similarity" not in compare_metrics(scored(0.0), [row("one", 0)])


def test_rows_of_images_that_no_scene_stands_for_are_left_out_of_the_distance():
    rows = scored(0.0)
    odd = row("odd", 0, clip_feature=pack(np.full(4, 9.0)), rendered_feature=None)
    assert summarise_metrics([*rows, odd])[DISTANCE] == summarise_metrics(rows)[DISTANCE]
