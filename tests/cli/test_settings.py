import pytest

from semguide.cli.settings import parse_settings
from support.refusals import refuses


def test_settings_are_read_as_json_or_text_and_sorted_by_method():
    settings = ["strength=0.5", "cfg.x=auto", "sgt-v2.window=3", " stop = 1 "]
    assert parse_settings(settings, "sgt") == {
        "sgt": {"strength": 0.5, "stop": 1},
        "cfg": {"x": "auto"},
        "sgt-v2": {"window": 3},
    }


@pytest.mark.parametrize("setting", ["", "=", "=1", "x", "sgt.=1"])
def test_a_setting_without_key_or_value_is_refused(setting: str):
    with refuses("settings", "must be KEY=VALUE or METHOD.KEY=VALUE", setting):
        parse_settings([setting], "sgt")


def test_a_setting_must_name_its_method_where_there_is_no_main_one():
    assert parse_settings(["sgt.stop=1"], None) == {"sgt": {"stop": 1}}
    with refuses("settings", "must be METHOD.KEY=VALUE", "stop=1"):
        parse_settings(["stop=1"], None)
