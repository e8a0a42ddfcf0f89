import pytest

from semguide.guidance.plot import line_styles


@pytest.mark.parametrize(
    ("concepts", "taken"),
    [
        (["a red book", "a yellow vase"], {"tab:orange", "tab:brown", "tab:pink"}),
        (["a blue cup,", "a Green hat"], {"tab:blue", "tab:cyan", "tab:green"}),
        (["a cat", "a dog"], set()),
    ],
)
def test_no_line_has_a_colour_that_a_concept_names(concepts: list[str], taken: set[str]):
    styles = line_styles(concepts * 10)
    assert not taken & {colour for colour, _ in styles}
    assert len(set(line_styles(concepts))) == len(concepts)


def test_where_every_colour_is_named_the_lines_are_black_and_differ_by_their_marks():
    styles = line_styles(["a blue red yellow green purple cyan gray car", "a pink brown hat"])
    assert styles == [("black", "o"), ("black", "s")]
