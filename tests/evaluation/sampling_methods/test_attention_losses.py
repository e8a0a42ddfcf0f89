"""The losses of attention maps: by hand, by scipy, and where they are least and greatest."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from torch import Tensor

from semguide.evaluation.sampling_methods.attention_losses import (
    attend_excite_loss,
    focus_loss,
    jensen_shannon,
    smoothed,
    syngen_loss,
)


def random_maps(tokens: int = 7, side: int = 4, seed: int = 0) -> Tensor:
    """Maps "height width token" that sum to 1 over the tokens."""
    return torch.randn(side, side, tokens, generator=torch.Generator().manual_seed(seed)).double().softmax(dim=-1)


def spots(*places: tuple[int, int]) -> Tensor:
    """Maps of which token i attends to one place of 6 x 6, and to little else."""
    maps = torch.full((6, 6, len(places)), 1e-6, dtype=torch.float64)
    for token, (row, column) in enumerate(places):
        maps[row, column, token] = 1.0
    return maps


def gaussian(maps: np.ndarray, sigma: float) -> np.ndarray:
    row = np.exp(-(np.array([-1.0, 0.0, 1.0]) ** 2) / (2 * sigma**2))
    kernel = np.outer(row, row)
    return correlate(maps, kernel / kernel.sum(), mode="mirror")


def share(maps: Tensor, tokens: list[int]) -> np.ndarray:
    found = maps[..., tokens].sum(dim=-1).flatten().numpy()
    return found / found.sum()


def symmetric(one: np.ndarray, other: np.ndarray) -> float:
    return float(entropy(one, other) + entropy(other, one)) / 2


@pytest.mark.parametrize("sigma", [0.5, math.sqrt(0.5), 1.0])
def test_smoothing_is_a_gaussian_mirrored_at_the_edges(sigma: float) -> None:
    maps = random_maps().permute(2, 0, 1)
    expected = np.stack([gaussian(one.numpy(), sigma) for one in maps])
    np.testing.assert_allclose(smoothed(maps, sigma).numpy(), expected)


def test_attend_excite_is_the_worst_noun_s_smoothed_share() -> None:
    maps = random_maps()
    shares = np.exp(100 * maps[..., 1:-1].numpy())
    shares /= shares.sum(axis=-1, keepdims=True)
    expected = max(1 - gaussian(shares[..., token - 1], math.sqrt(0.5)).max() for token in (2, 4))
    assert float(attend_excite_loss(maps, [[2], [4]], range(1, 6))) == pytest.approx(expected)


def test_attend_excite_on_joint_attention_leaves_the_image_s_part_out() -> None:
    maps = random_maps()
    part = torch.rand(4, 4, 1, generator=torch.Generator().manual_seed(1)).double()
    among = [1, 2, 4]
    whole = maps[..., among] / maps[..., among].sum(dim=-1, keepdim=True)
    alone = attend_excite_loss(whole, [[1]], range(3))
    assert float(attend_excite_loss(maps * part, [[2]], among, shared=True)) == pytest.approx(float(alone))


def test_attend_excite_adds_the_tokens_of_a_noun() -> None:
    maps = random_maps()
    one, both = (float(attend_excite_loss(maps, [tokens], range(1, 6))) for tokens in ([2], [2, 3]))
    assert both < one


def test_syngen_is_the_sum_by_hand() -> None:
    maps = random_maps()
    red, book, joined, vase = [1], [2], [3], [4, 5]
    a = {name: share(maps, tokens) for name, tokens in (("r", red), ("b", book), ("&", joined), ("v", vase))}
    near = symmetric(a["r"], a["b"])
    far = sum(symmetric(a["r"], a[u]) + symmetric(a["b"], a[u]) for u in "&v") / 2 / 2
    lone = sum(symmetric(a["v"], a[u]) for u in "rb&") / 3
    found = syngen_loss(maps, [[red, book], [vase]], [[joined, vase], [red, book, joined]])
    assert float(found) == pytest.approx(near - far - lone)


def test_syngen_of_one_word_alone_is_nothing() -> None:
    assert float(syngen_loss(random_maps(), [[[1]]], [[]])) == 0


@pytest.mark.parametrize("count", [2, 3])
def test_the_jensen_shannon_divergence_is_that_of_entropies_in_its_greatest(count: int) -> None:
    shares = torch.rand(count, 9, generator=torch.Generator().manual_seed(2)).double()
    shares = shares / shares.sum(dim=1, keepdim=True)
    found = float(jensen_shannon(shares))
    rows = shares.numpy()
    expected = (entropy(rows.mean(axis=0)) - np.mean([entropy(row) for row in rows])) / math.log(count)
    assert found == pytest.approx(expected)
    if count == 2:
        assert found == pytest.approx(jensenshannon(*rows, base=2) ** 2)


def test_focus_is_least_where_each_subject_s_words_share_a_place_of_their_own() -> None:
    apart, together = (1, 1), (4, 4)
    best = focus_loss(spots(apart, apart, together), [[[0], [1]], [[2]]])
    worst = focus_loss(spots(apart, together, apart, together), [[[0], [1]], [[2], [3]]])
    assert float(best) == pytest.approx(0, abs=1e-6)
    assert float(worst) == pytest.approx((1 + 1 - 0) / 2, abs=1e-6)
    mixed = focus_loss(spots(apart, apart), [[[0]], [[1]]])
    assert float(mixed) == pytest.approx(0.5)


def test_focus_is_the_formula_by_scipy() -> None:
    maps = random_maps()
    subjects = [[[1], [2]], [[4, 5]]]

    def sharpened(tokens: list[int]) -> np.ndarray:
        cubed = gaussian(maps[..., tokens].sum(dim=-1).numpy(), 1.0).flatten() ** 3
        return cubed / cubed.sum()

    words = [[sharpened(tokens) for tokens in subject] for subject in subjects]
    within = (jensenshannon(*words[0], base=2) ** 2 + 0) / 2
    between = jensenshannon(np.mean(words[0], axis=0), words[1][0], base=2) ** 2
    assert float(focus_loss(maps, subjects)) == pytest.approx((within + 1 - between) / 2)
