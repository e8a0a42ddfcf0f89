"""The tensor shapes of guidance, checked under pytest.

`dims` are the dimensions of one sample, without a batch: (channels, height, width) or (tokens, channels).
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

Sample = Float[Tensor, "*dims"]
"""One prediction, guidance or correction of one sample."""

ConceptSamples = Float[Tensor, "concept *dims"]
"""One sample per concept."""

PerConcept = Float[Tensor, " concept"]
"""One number per concept."""

Scalar = Float[Tensor, ""]
"""One number."""
