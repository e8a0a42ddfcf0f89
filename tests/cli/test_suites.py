import json
from collections.abc import Callable

from typer.testing import Result

from semguide.evaluation.suites import suite, suite_names

Cli = Callable[..., Result]


def test_suites_are_listed_with_sizes_by_category_and_split(cli: Cli):
    listed = json.loads(cli("suites", "--json").stdout)
    assert [entry["name"] for entry in listed] == suite_names()
    for entry in listed:
        assert entry["prompts"] == len(suite(entry["name"]))
        for split in ("validation", "test"):
            assert sum(sizes[split] for sizes in entry["categories"].values()) == len(suite(entry["name"], split))
        assert entry["summary"]


def test_the_table_shows_every_suite_and_category(cli: Cli):
    shown = cli("suites").stdout
    listed = json.loads(cli("suites", "--json").stdout)
    for entry in listed:
        assert all(name in shown for name in (entry["name"], *entry["categories"]))
