"""A clone is small enough for a slow line."""

from support.repository import tracked


def test_the_tracked_files_stay_under_60_mib():
    assert sum(file.stat().st_size for file in tracked()) < 60 * 2**20
