"""What all tests share: few threads, shapes checked at run time, and the optional folder of reference data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # before anything loads torch
    os.environ.setdefault(_variable, "1")
os.environ["SEMGUIDE_DATA"] = str(Path(__file__).parent / "no-data")  # the calibrations of who runs the tests stay out

# Not the rules themselves: their own checks must see what a user without type checks would give them.
install_import_hook(["semguide.guidance.geometry", "semguide.guidance.rule"], "beartype.beartype")

pytest_plugins = ["support.command", "support.pipeline_fixtures", "support.plugins"]


def shared_folder() -> Path:
    """Return where reference data would be; it need not exist."""
    beside = Path(__file__).parents[1] / "shared"
    return Path(os.environ.get("SEMGUIDE_SHARED", beside))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data, or skip the test."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip("no reference data: set SEMGUIDE_SHARED")
    return folder


@pytest.fixture(scope="session")
def golden(shared: Path) -> Path:
    """Return the folder of the authors' reference values, or skip the test."""
    if not (shared / "golden" / "portable").is_dir():
        pytest.skip("no golden values in the reference data")
    return shared / "golden"
