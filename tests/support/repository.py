"""The files of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.docs.snippets import ROOT


def tracked() -> list[Path]:
    """Return the files that git tracks; skips the test where this is no clone."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a clone of the repository")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]
