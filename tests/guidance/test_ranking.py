"""The order of the images of a prompt."""

from __future__ import annotations

from semguide.guidance.ranking import places, places_in_groups


def test_the_highest_score_is_first_equal_ones_keep_their_order_and_none_ranks_last() -> None:
    assert places([0.2, None, 0.9, 0.2]) == [2, 4, 1, 3]
    assert places([None, None]) == [None, None]
    assert places([]) == []


def test_images_are_ordered_among_those_of_their_prompt() -> None:
    assert places_in_groups([0.2, 0.9, 0.5, None], ["a", "b", "a", "c"]) == [2, 1, 1, None]
