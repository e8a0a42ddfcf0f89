"""Angles, projections and quantile masks."""

from __future__ import annotations

import pytest
import torch

from semguide.guidance.geometry import cosine, norm, perpendicular, top_quantile, unit


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
