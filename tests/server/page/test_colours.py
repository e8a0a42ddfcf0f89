"""The colours of the style sheet: every text can be read on what it stands on, light and dark (WCAG 2.2, AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import semguide.server

STYLE = Path(semguide.server.__file__).parent / "page" / "style.css"
TEXT, MARK = 4.5, 3.0
"""Least contrast of text, and of marks and the edges of controls."""
GROUNDS = ("ground", "card", "sunken")
PAIRS = [
    *((text, ground, TEXT) for text in ("ink", "soft", "danger") for ground in GROUNDS),
    ("danger", "danger-ground", TEXT),
    ("on-accent", "accent", TEXT),
    *(("accent", ground, MARK) for ground in GROUNDS),
    *(("edge", ground, MARK) for ground in ("ground", "card")),
    *((f"c{k}", ground, MARK) for k in range(8) for ground in ("card", "ground")),
]


def colours(dark: bool) -> dict[str, str]:
    """Return the colours of a scheme by name, as #rrggbb."""
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE.read_text(encoding="utf-8"))
    return {name: pair[dark] for name, *pair in found}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_stands_on_a_ground_can_be_told_from_it(dark: bool):
    found, low = colours(dark), []
    for name, ground, least in PAIRS:
        darker, lighter = sorted((luminance(found[name]), luminance(found[ground])))
        contrast = (lighter + 0.05) / (darker + 0.05)
        if contrast < least:
            low.append(f"{name} on {ground}: {contrast:.2f}")
    assert low == []
