"""Python, required packages and optional extras, against what the installed semguide asks for."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from semguide.cli.health.finding import HealthFinding
from semguide.errors import install_command


def examine_python() -> list[HealthFinding]:
    """Check Python's version against the package's range; state the platform."""
    wanted = SpecifierSet(metadata("semguide")["Requires-Python"] or "")
    inside = wanted.contains(platform.python_version(), prereleases=True)
    detail = platform.python_version() + ("" if inside else f", but semguide needs {wanted}; make another environment")
    return [
        HealthFinding("python", "version", "ok" if inside else "problem", detail),
        HealthFinding("python", "platform", "note", f"{platform.platform()} ({sys.executable})"),
    ]


def examine_packages() -> list[HealthFinding]:
    """Check every required package: installed, in the range asked for, and torchvision not broken beside torch."""
    required = [item for item in _requirements() if _applies(item, "")]
    ours = HealthFinding("packages", "semguide", "ok", version("semguide"))
    return [ours, *map(_judge, sorted(required, key=lambda item: item.name)), *_examine_torchvision()]


def examine_extras() -> list[HealthFinding]:
    """List the optional extras: complete, or the command that installs them."""
    names = metadata("semguide").get_all("Provides-Extra") or []
    return [_examine_extra(name) for name in names if _members(name)]


def _examine_extra(extra: str) -> HealthFinding:
    lacking = [item.name for item in _members(extra) if _judge(item).status != "ok"]
    if not lacking:
        return HealthFinding("extras", extra, "ok", "installed")
    return HealthFinding("extras", extra, "note", f"lacks {', '.join(lacking)}: {install_command(extra)}")


def _judge(item: Requirement) -> HealthFinding:
    try:
        found = version(item.name)
    except PackageNotFoundError:
        return HealthFinding("packages", item.name, "problem", f"missing: pip install '{item.name}{item.specifier}'")
    if not item.specifier.contains(found, prereleases=True):
        remedy = f"pip install '{item.name}{item.specifier}'"
        return HealthFinding("packages", item.name, "problem", f"{found}, but {item.specifier} is needed: {remedy}")
    return HealthFinding("packages", item.name, "ok", found)


def _examine_torchvision() -> list[HealthFinding]:
    """Try torchvision where it is installed: one that does not fit torch breaks diffusers and transformers."""
    if importlib.util.find_spec("torchvision") is None:
        return []
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # noqa: BLE001  # a broken build raises whatever its loader hits first
        remedy = "semguide does not need it: pip uninstall torchvision"
        return [
            HealthFinding("packages", "torchvision", "problem", f"does not load beside this torch ({error}); {remedy}")
        ]
    return [HealthFinding("packages", "torchvision", "ok", f"{version('torchvision')} (not needed)")]


def _requirements() -> list[Requirement]:
    return [Requirement(line) for line in requires("semguide") or []]


def _members(extra: str) -> list[Requirement]:
    return [item for item in _requirements() if _applies(item, extra) and not _applies(item, "")]


def _applies(item: Requirement, extra: str) -> bool:
    return item.marker is None or item.marker.evaluate({"extra": extra})
