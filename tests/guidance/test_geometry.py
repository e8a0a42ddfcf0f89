"""Angles, projections and quantile masks."""

from __future__ import annotations

import pytest
import torch

from semguide.guidance.geometry import (
    cosine,
    dot_over_channels,
    least_squares,
    norm,
    perpendicular,
    scale_over_channels,
    top_quantile,
    unit,
)


def sample(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, -1)


def test_perpendicular_removes_the_component_along_y() -> None:
    assert torch.allclose(perpendicular(sample(5, 0), sample(3, 4)), sample(3.2, -2.4))


def test_perpendicular_to_nothing_removes_nothing() -> None:
    assert torch.equal(perpendicular(sample(5, 1), sample(0, 0)), sample(5, 1))


def test_cosine_is_signed() -> None:
    assert cosine(sample(5, 0), sample(3, 4)) == pytest.approx(0.6)
    assert cosine(sample(-5, 0), sample(3, 4)) == pytest.approx(-0.6)


def test_cosine_with_nothing_is_zero() -> None:
    assert cosine(sample(0, 0), sample(3, 4)) == 0
    assert torch.equal(unit(sample(0, 0)), sample(0, 0))


def test_norms_of_large_half_precision_tensors_do_not_overflow() -> None:
    x = torch.full((4, 64, 64), 300.0, dtype=torch.float16)
    assert norm(x) == pytest.approx(300 * 128)
    assert cosine(x, x) == pytest.approx(1.0)


@pytest.mark.parametrize("q", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_top_quantile_is_torch_quantile_per_channel(q: float, dtype: torch.dtype) -> None:
    x = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(0), dtype=dtype)
    limit = torch.quantile(x.abs().flatten(1), q, dim=1)[:, None, None]
    assert torch.equal(top_quantile(x, q), torch.where(x.abs() >= limit, x, torch.zeros_like(x)))


def test_top_quantile_of_tokens_is_per_channel_over_tokens() -> None:
    x = torch.tensor([[1.0, -9.0], [-2.0, 8.0], [3.0, 0.0]])
    assert torch.equal(top_quantile(x, 0.5), torch.tensor([[0.0, -9.0], [-2.0, 8.0], [3.0, 0.0]]))


def test_top_quantile_takes_its_level_from_a_tensor_without_reading_it() -> None:
    x = torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(top_quantile(x, torch.tensor(0.75)), top_quantile(x, 0.75))


def test_top_quantile_of_half_precision_keeps_the_largest_entries() -> None:
    x = torch.arange(1, 101, dtype=torch.float16).reshape(1, 10, 10)
    kept = top_quantile(x, 0.9)
    assert kept.dtype == torch.float16
    assert kept[kept > 0].tolist() == list(range(91, 101))


@pytest.mark.slow
def test_top_quantile_has_no_size_limit() -> None:
    x = torch.ones(1, 4100, 4100)  # torch.quantile refuses more than 2**24 entries in many versions
    assert torch.equal(top_quantile(x, 0.5), x)


def test_least_squares_counts_once_what_concepts_have_in_common() -> None:
    a, b = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 1.0])
    found = least_squares(0.5 * a + 2.0 * b, torch.stack([a, b]), ridge=1e-9)
    torch.testing.assert_close(found, torch.tensor([0.5, 2.0]), rtol=1e-4, atol=1e-4)


def test_least_squares_of_equal_concepts_and_of_nothing_is_finite() -> None:
    a = torch.tensor([1.0, 2.0])
    torch.testing.assert_close(least_squares(a, torch.stack([a, a])), torch.tensor([0.5, 0.5]), rtol=1e-2, atol=1e-2)
    assert least_squares(a, torch.zeros(2, 2)).tolist() == [0.0, 0.0]


def test_products_and_factors_by_place_know_images_and_tokens() -> None:
    x, y = torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(2)).unbind()
    tokens = [t.flatten(1).T for t in (x, y)]
    torch.testing.assert_close(dot_over_channels(x, y), (x * y).sum(dim=0).flatten())
    torch.testing.assert_close(dot_over_channels(*tokens), dot_over_channels(x, y))
    factor = torch.arange(30.0)
    torch.testing.assert_close(scale_over_channels(x, factor), x * factor.reshape(6, 5))
    torch.testing.assert_close(scale_over_channels(tokens[0], factor), scale_over_channels(x, factor).flatten(1).T)
