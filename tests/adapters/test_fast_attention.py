"""The shortcut of the golden tests is exact."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from support import fast_attention as shortcut


@pytest.mark.parametrize("size", [0.1, 0.5, 0.9])
def test_fast_attention_is_torch_attention(size: float) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (2, 3, shortcut.FEWEST_TOKENS, 2)
    query, key, value = (size * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(3))
    exact = functional.scaled_dot_product_attention(query, key, value)
    with shortcut.fast_attention():
        fast = functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(fast, exact, rtol=0, atol=1e-12 * size)
    assert not torch.equal(fast, exact), "the series was not used"
