import pytest

from semguide.runs.checks import (
    check_guidance_scale,
    check_known,
    check_prompt,
    check_seeds,
    check_steps,
)
from support.refusals import refuses


def test_the_ends_of_every_range_are_allowed():
    check_prompt("a")
    check_steps(1)
    check_steps(1000)
    check_guidance_scale(1.0)
    check_guidance_scale(100)
    check_seeds([0, 2**63 - 1])
    check_known("method", "cfg", ["cfg"])


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 0.99, 0.0, -2.0, 100.1])
def test_a_guidance_scale_out_of_range_is_refused_with_its_value(scale: float):
    with refuses("guidance_scale") as caught:
        check_guidance_scale(scale)
    assert caught.value.value is scale


def test_an_unknown_name_gets_the_list_and_the_nearest_if_one_is_near():
    for name, remedy in (("sgx", "did you mean 'sgt'?"), ("zzz", "choose one of these")):
        with refuses("method", "must be one of cfg, sgt", name) as caught:
            check_known("method", name, ["cfg", "sgt"])
        assert caught.value.remedy == remedy
