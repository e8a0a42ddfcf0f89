import pytest

from semguide.errors import InvalidArgument
from semguide.evaluation.makers import MAKERS, get_maker
from semguide.guidance import METHODS
from semguide.guidance.methods import BENCHMARK_METHODS


def test_makers_stand_under_their_own_names_and_under_no_rule_s():
    assert [maker.name for maker in MAKERS.values()] == list(MAKERS)
    assert tuple(MAKERS) == BENCHMARK_METHODS
    assert not set(MAKERS) & set(METHODS)


def test_an_unknown_maker_is_refused_with_the_list():
    with pytest.raises(InvalidArgument, match="maker must be one of"):
        get_maker("worst-of")
