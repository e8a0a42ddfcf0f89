import pytest

from semguide.errors import InvalidArgument
from semguide.runs.checks import (
    check_guidance_scale,
    check_known,
    check_prompt,
    check_seeds,
    check_steps,
)


def test_the_ends_of_every_range_are_allowed():
    check_prompt("a")
    check_steps(1)
    check_steps(1000)
    check_guidance_scale(1.001)
    check_guidance_scale(100)
    check_seeds([0, 2**63 - 1])
    check_known("method", "cfg", ["cfg"])


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 1.0, 0.0, -2.0, 100.1])
def test_a_guidance_scale_out_of_range_is_refused_with_its_value(scale: float):
    with pytest.raises(InvalidArgument, match=rf"--guidance-scale.*got {scale}"):
        check_guidance_scale(scale)


def test_an_unknown_name_gets_the_list_and_the_nearest_if_one_is_near():
    with pytest.raises(InvalidArgument, match="method must be one of cfg, sgt, got 'sgx'; did you mean 'sgt'"):
        check_known("method", "sgx", ["cfg", "sgt"])
    with pytest.raises(InvalidArgument, match="choose one of these"):
        check_known("method", "zzz", ["cfg", "sgt"])
