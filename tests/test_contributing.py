"""What a contributor reads, and the hooks and workflows that a host runs, name only what there is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    ".github/pull_request_template.md",
    ".github/workflows/checks.yml",
    ".github/workflows/publish.yml",
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_that_a_page_names_is_one(page: str):
    phony = re.search(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert phony is not None
    named = re.findall(r"(?:`|^|run: )make ([a-z-]+)", text_of(page), re.MULTILINE)
    assert set(named) <= set(phony[1].split())


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str):
    text = text_of(page)
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text) + re.findall(
        r"\b((?:scripts|benchmarks|tests)/\w+(?:\.\w+)?)", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_that_a_link_names_is_on_its_page(page: str):
    for target, anchor in re.findall(r"\]\(([^)#:]+)#([^)]+)\)", text_of(page)):
        headings = re.findall(r"^#+ (.+)$", text_of(target), re.MULTILINE)
        assert anchor in [heading.lower().replace(" ", "-") for heading in headings], (target, anchor)


def test_the_hooks_run_checks_of_the_script():
    known = re.search(r"the checks are: ([a-z ]+)", text_of("scripts/check"))
    assert known is not None
    for hook in yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"][0]["hooks"]:
        script, *names = hook["entry"].split()
        assert script == "scripts/check"
        assert set(names) <= set(known[1].split())


def test_the_workflow_tests_every_python_that_is_supported():
    classifiers = tomllib.loads(text_of("pyproject.toml"))["project"]["classifiers"]
    supported = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in classifiers]
    tested = yaml.safe_load(text_of(".github/workflows/checks.yml"))["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert tested == [each[1] for each in supported if each]


def test_the_environments_that_publish_are_those_that_an_index_is_told():
    jobs = yaml.safe_load(text_of(".github/workflows/publish.yml"))["jobs"]
    environments = [job["environment"] for job in jobs.values() if "environment" in job]
    assert environments == ["pypi-semguide", "pypi-semguide-emoji"]
    assert all(f"`{name}`" in text_of("CONTRIBUTING.md") for name in environments)


def test_the_workflows_run_actions_of_fixed_commits():
    used = re.findall(r"uses: (.+)", text_of(".github/workflows/checks.yml") + text_of(".github/workflows/publish.yml"))
    others = [each for each in used if not each.startswith("./")]
    assert others
    assert [each for each in others if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", each)] == []
