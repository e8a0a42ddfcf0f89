"""Rows of a denoiser call: choose images, replace conditioning, read and write predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class DenoiserCall:
    """The arguments of one call of the denoiser, in the form in which they were given.

    Attributes:
        positional: Names of the denoiser's first parameters; the first one is the noisy sample.
        args: Given by position: tensors with a row per prediction, nested or not, and the rest.
        kwargs: Given by name, alike.
    """

    positional: tuple[str, ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def sample(self) -> Tensor:
        """The noisy sample, one row per prediction."""
        return self.args[0] if self.args else self.kwargs[self.positional[0]]

    @property
    def total(self) -> int:
        """Number of rows."""
        return self.sample.shape[0]

    def at(self, rows: Sequence[int]) -> DenoiserCall:
        """Return the call for these rows, in this order; a row may be repeated."""
        args, kwargs = choose_rows((self.args, self.kwargs), self.total, rows)
        return DenoiserCall(self.positional, args, kwargs)

    def conditioned(self, conditioning: Mapping[str, Tensor]) -> DenoiserCall:
        """Return the call with other conditioning: tensors by argument name, at any depth, one row per prediction."""
        named = _replace(dict(zip(self.positional, self.args, strict=False)), conditioning)
        args = (*named.values(), *self.args[len(named) :])
        return DenoiserCall(self.positional, args, _replace(self.kwargs, conditioning))

    def evaluate(self, forward: Callable[..., Any]) -> Any:
        """Return what the denoiser makes of the call."""
        return forward(*self.args, **self.kwargs)


def choose_rows(value: Any, total: int, rows: Sequence[int]) -> Any:
    """Choose rows of every tensor with `total` rows in a nest of lists, tuples and dictionaries; the rest stays."""
    if isinstance(value, Tensor):
        has_rows = value.ndim > 0 and value.shape[0] == total
        return torch.cat([value[row : row + 1] for row in rows]) if has_rows else value
    if isinstance(value, dict):
        return {key: choose_rows(item, total, rows) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([choose_rows(item, total, rows) for item in value])
    return value


def _replace(arguments: Mapping[str, Any], conditioning: Mapping[str, Tensor]) -> dict[str, Any]:
    replaced: dict[str, Any] = {}
    for key, value in arguments.items():
        if key in conditioning and isinstance(value, Tensor):
            replaced[key] = conditioning[key].to(device=value.device, dtype=value.dtype)
        else:
            replaced[key] = _replace(value, conditioning) if isinstance(value, dict) else value
    return replaced


def prediction_of(output: Any) -> Tensor:
    """Return the prediction of a denoiser's output: a tuple, an output object or a tensor."""
    if isinstance(output, Tensor):
        return output
    return output[0] if isinstance(output, tuple) else output.sample


def with_prediction(output: Any, prediction: Tensor) -> Any:
    """Return an output of the same form with another prediction."""
    if isinstance(output, Tensor):
        return prediction
    return (prediction, *output[1:]) if isinstance(output, tuple) else type(output)(sample=prediction)
