"""The seeds that are tried for an image."""

from __future__ import annotations

from semguide.guidance.attempts import STRIDE, attempts_of


def test_the_own_seed_comes_first_and_no_other_is_that_of_a_neighbour() -> None:
    assert attempts_of(3, 2) == [3, 3 + STRIDE, 3 + 2 * STRIDE]
    assert attempts_of(3, 0) == [3]
    assert not {*attempts_of(3, 4)} & {*attempts_of(4, 4)}


def test_the_largest_seed_has_others_too() -> None:
    assert attempts_of(2**64 - 1, 1) == [2**64 - 1, STRIDE - 1]
