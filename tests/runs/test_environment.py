from pathlib import Path

import pytest

from semguide.runs.environment import current_environment, describe_differences


def test_an_environment_does_not_differ_from_itself(tiny: Path):
    here = current_environment(tiny)
    assert describe_differences(here.to_json(), here) == []


def test_every_difference_is_said(tiny: Path):
    here = current_environment(tiny)
    then = here.to_json()
    then["versions"] = {**then["versions"], "torch": "1.0"}
    then["threads"] = 99
    assert describe_differences(then, here) == [
        f"threads was 99, is {here.threads}",
        f"torch was 1.0, is {here.versions['torch']}",
    ]


@pytest.mark.parametrize("recorded", [None, [], {}, {"versions": 3}])
def test_a_record_without_environment_differs_in_everything(tiny: Path, recorded: object):
    assert any(
        line.startswith("checkpoint was None") for line in describe_differences(recorded, current_environment(tiny))
    )
