"""The guider's rows of the table of families and the tiny pipelines cover each other."""

from __future__ import annotations

import diffusers
import pytest
from packaging.version import Version

from adapters.guiders.test_guider_pipeline import GUIDED as ORDINARY
from semguide.adapters.guiders.guider_pipeline import ENCODED
from semguide.adapters.pipelines.families.registry import GUIDED
from support.guiders.table import ROWS

NAMES = [name for row in GUIDED for name in row.pipelines]


def test_every_pipeline_of_the_guiders_rows_is_tested() -> None:
    assert sorted(NAMES) == sorted([*(row.blocks for row in ROWS.values()), *ORDINARY])
    assert set(ENCODED) == set(ORDINARY)


@pytest.mark.skipif(Version(diffusers.__version__) < Version("0.42.1"), reason="the table knows a newer diffusers")
def test_pipelines_of_the_guiders_rows_are_diffusers_classes() -> None:
    assert [name for name in NAMES if not hasattr(diffusers, name)] == []
