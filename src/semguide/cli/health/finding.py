"""One thing the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One thing the doctor looked at.

    Attributes:
        area: Group it is shown under: "packages".
        name: What was looked at: "torch".
        status: "ok"; "note" (nothing to judge); "warning" (part of semguide will not work); "problem" (not healthy).
        detail: What was found and, where something is wrong, the remedy.
    """

    area: str
    name: str
    status: Status
    detail: str
