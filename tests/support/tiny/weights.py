"""Benign random weights: finite outputs that depend on every input."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn


def benign(module: Any, seed: int, gain: float = 1.0) -> Any:
    """Fill a module with seeded normal weights, also where its class starts from zero; returns it in evaluation mode.

    Matrices and kernels get the deviation gain / sqrt(fan in), embeddings 1, biases 0.02; gains of norms stay 1.
    """
    generator = torch.Generator().manual_seed(seed)
    embeddings = {id(part.weight) for part in module.modules() if isinstance(part, nn.Embedding)}
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.ndim > 1:
                size = 1.0 if id(weight) in embeddings else gain / math.sqrt(weight[0].numel())
                weight.normal_(0.0, size, generator=generator)
            elif name.endswith("bias"):
                weight.normal_(0.0, 0.02, generator=generator)
    return module.eval().requires_grad_(False)
