"""constraints.txt and the script that renews it; nothing is resolved here and no network is used."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def script() -> dict[str, Any]:
    """Return the names of the script, which imports another of its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        return runpy.run_path(str(ROOT / "scripts" / "renew_constraints.py"))


SCRIPT = script()


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def declared() -> list[Requirement]:
    """Return what `make setup` installs of both projects: their dependencies and semguide's extra dev, with its own."""
    semguide, emoji = project(ROOT), project(ROOT / "emoji")
    wanted = [*map(Requirement, [*semguide["dependencies"], *emoji["dependencies"]]), Requirement("semguide[dev]")]
    extras = semguide["optional-dependencies"]
    for requirement in wanted:  # grows as extras name others
        if requirement.name == "semguide":
            wanted += [Requirement(text) for extra in sorted(requirement.extras) for text in extras[extra]]
    return [requirement for requirement in wanted if requirement.name != "semguide"]


def pins(python: str) -> dict[str, list[str]]:
    """Return the versions that hold for each package under a Python on Linux."""
    place = {"python_version": python, "python_full_version": f"{python}.8", "sys_platform": "linux"}
    place |= {"platform_machine": "x86_64"}
    found: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(place):
                found.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_every_declared_dependency_has_one_pin_that_it_allows(python: str):
    held = pins(python)
    assert [name for name, versions in held.items() if len(versions) > 1] == []
    lacking = [
        str(requirement)
        for requirement in declared()
        if not any(requirement.specifier.contains(v) for v in held.get(canonicalize_name(requirement.name), []))
    ]
    assert lacking == []


def test_the_build_tools_are_pinned_and_torchvision_is_not():
    held = pins("3.12")
    assert {"hatchling", "editables"} <= held.keys()
    assert "torchvision" not in held


def test_the_file_is_as_the_script_writes_it():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert SCRIPT["renewed"](text) == text


def test_packages_of_accelerator_builds_are_not_pinned():
    resolved = (
        "cuda-toolkit==13.0\nnvidia-nvtx==13.0 ; sys_platform == 'linux'\ntorch==2.13.0\ntriton==3.7.1\ntyper==0.29.2"
    )
    kept = [line for line in SCRIPT["renewed"](resolved).splitlines() if not line.startswith("#")]
    assert kept == ["torch==2.13.0", "typer==0.29.2"]


def test_without_uv_nothing_is_resolved_and_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(SystemExit, match=r"uv must be installed.*make constraints"):
        SCRIPT["uv"]()
