from __future__ import annotations

import os
from pathlib import Path

import pytest

from semguide.concepts import decompose


@pytest.fixture(scope="session")
def shared_prompts() -> Path:
    """The official prompt files, which are not part of the project."""
    folder = Path(os.environ.get("SEMGUIDE_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "prompts"
    if not folder.is_dir():
        pytest.skip(f"the official prompt files are not at {folder}; set SEMGUIDE_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def loaded_lexicon() -> None:
    """Loads the tagger once, so that no single test is charged for it."""
    decompose("a red car")
