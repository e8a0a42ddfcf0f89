"""`semguide doctor`: does this installation work, and if not, why and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from semguide.cli.health import (
    HealthFinding,
    examine_checkpoints,
    examine_devices,
    examine_extras,
    examine_folders,
    examine_packages,
    examine_python,
    examine_scorers,
    examine_settings,
)

_COLOURS = {"ok": "green", "note": "dim", "warning": "yellow", "problem": "bold red"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this installation: Python, packages, devices, embedded checkpoints (one real use each), folders.

    Ends with exit code 0 where everything needed works, 1 where not.
    """
    findings = examine()
    problems = [finding for finding in findings if finding.status == "problem"]
    if as_json:
        listed = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"healthy": not problems, "findings": listed}, indent=2, ensure_ascii=False))
    else:
        _print_table(findings)
        typer.echo(verdict(findings))
    if problems:
        raise typer.Exit(1)


def examine() -> list[HealthFinding]:
    """Run every check; those that need packages only where these are there."""
    findings = [*examine_python(), *examine_packages(), *examine_extras(), *examine_settings()]
    if any(finding.status == "problem" for finding in findings):
        return findings
    return [*findings, *examine_folders(), *examine_devices(), *examine_checkpoints(), *examine_scorers()]


def verdict(findings: list[HealthFinding]) -> str:
    """Sum the findings up in one line."""
    problems = [f"{finding.area} {finding.name}" for finding in findings if finding.status == "problem"]
    warnings = [f"{finding.area} {finding.name}" for finding in findings if finding.status == "warning"]
    if problems:
        return f"Not healthy: {len(problems)} problem(s): {', '.join(problems)}."
    return f"Healthy, with {len(warnings)} warning(s): {', '.join(warnings)}." if warnings else "Healthy."


def _print_table(findings: list[HealthFinding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("area", "what", "", "found")
    area = ""
    for finding in findings:
        if area and finding.area != area:
            table.add_section()
        shown = "" if finding.area == area else finding.area
        colour = _COLOURS[finding.status]
        table.add_row(shown, escape(finding.name), f"[{colour}]{finding.status}[/]", escape(finding.detail))
        area = finding.area
    Console().print(table)
