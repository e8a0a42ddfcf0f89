import pytest

from semguide.models import choose_device, devices
from support.refusals import refuses


def test_auto_is_the_first_device_and_cpu_is_always_there():
    assert choose_device() == devices()[0]
    assert choose_device("cpu") == "cpu" == devices()[-1]


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "", "CPU"])
def test_a_device_that_is_not_there_is_refused_listing_those_that_are(name: str):
    with refuses("device", "must be auto or a device of this machine"):
        choose_device(name)
