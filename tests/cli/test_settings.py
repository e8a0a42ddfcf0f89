import pytest

from semguide.cli.settings import check_seed_list, parse_seeds, parse_settings
from support.refusals import refuses


def test_settings_are_read_as_json_or_text_and_sorted_by_method():
    settings = ["strength=0.5", "cfg.x=auto", "sgt-v2.window=3", " stop = 1 ", 'guider.options={"eta": 0}']
    assert parse_settings(settings, "sgt") == {
        "sgt": {"strength": 0.5, "stop": 1},
        "cfg": {"x": "auto"},
        "sgt-v2": {"window": 3},
        "guider": {"options": '{"eta": 0}'},
    }


@pytest.mark.parametrize("setting", ["", "=", "=1", "x", "sgt.=1"])
def test_a_setting_without_key_or_value_is_refused(setting: str):
    with refuses("settings", "must be KEY=VALUE or METHOD.KEY=VALUE", setting):
        parse_settings([setting], "sgt")


def test_a_setting_must_name_its_method_where_there_is_no_main_one():
    assert parse_settings(["sgt.stop=1"], None) == {"sgt": {"stop": 1}}
    with refuses("settings", "must be METHOD.KEY=VALUE", "stop=1"):
        parse_settings(["stop=1"], None)


@pytest.mark.parametrize(
    ("typed", "seeds"),
    [("0", (0,)), ("3,5", (3, 5)), ("3..6", (3, 4, 5, 6)), ("1-2, 9", (1, 2, 9)), ("-5", (-5,))],
)
def test_seeds_are_a_number_a_list_or_a_range(typed: str, seeds: tuple[int, ...]):
    assert parse_seeds(typed) == seeds


@pytest.mark.parametrize("typed", ["", "x", "1,", "1..", "5..1", "0..10000", f"0..{10**19}", "1.5", "0,0..9999"])
def test_other_seeds_are_refused(typed: str):
    with refuses("seed"):
        parse_seeds(typed)


def test_a_list_of_seeds_says_how_many_images_there_are():
    check_seed_list((3, 5), None, None)
    check_seed_list((3, 5), 2, None)
    check_seed_list((3,), 4, 8)
    with refuses("num_images"):
        check_seed_list((3, 5), 4, None)
    with refuses("seed"):
        check_seed_list((3, 5), None, 8)
