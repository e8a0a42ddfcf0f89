"""Rows of a denoiser call: choose images, replace conditioning, read and write predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.families.spec import BatchLayout

Conditioning = Mapping[str, Any]
"""Denoiser argument -> tensor with rows, list with an entry per row, or None."""


@dataclass(frozen=True)
class DenoiserCall:
    """The arguments of one call of the denoiser, in the form in which they were given.

    Attributes:
        positional: Names of the denoiser's first parameters; the first one is the noisy sample.
        layout: Where the rows are.
        args: Given by position: tensors with a row per prediction, nested or not, and the rest.
        kwargs: Given by name, alike.
    """

    positional: tuple[str, ...]
    layout: BatchLayout
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, name: str) -> Any:
        """Return an argument by its name, None if it was not given."""
        given = dict(zip(self.positional, self.args, strict=False))
        return given.get(name, self.kwargs.get(name))

    @property
    def sample(self) -> Any:
        """The noisy sample, one row per prediction: a tensor, or a list of tensors."""
        return self.args[0] if self.args else self.kwargs[self.positional[0]]

    @property
    def device(self) -> torch.device:
        """Where the call computes."""
        return self.sample[0].device

    @property
    def total(self) -> int:
        """Number of rows."""
        return len(self.sample)

    def at(self, rows: Sequence[int]) -> DenoiserCall:
        """Return the call for these rows, in this order; a row may be repeated."""
        choice = _Choice(self.layout, self.total, rows)
        args = tuple(choice.of(self._name(i), value) for i, value in enumerate(self.args))
        kwargs = {name: choice.of(name, value) for name, value in self.kwargs.items()}
        return DenoiserCall(self.positional, self.layout, args, kwargs)

    def conditioned(self, conditioning: Conditioning) -> DenoiserCall:
        """Return the call with other conditioning, by argument name at any depth, one row per prediction."""
        args = tuple(self._replaced(self._name(i), value, conditioning) for i, value in enumerate(self.args))
        kwargs = {name: self._replaced(name, value, conditioning) for name, value in self.kwargs.items()}
        for name, text in self.layout.places.items():
            kwargs[name] = torch.arange(conditioning[text].shape[1], device=self.device)
        return DenoiserCall(self.positional, self.layout, args, kwargs)

    def evaluate(self, forward: Callable[..., Any]) -> Any:
        """Return what the denoiser makes of the call; some take their lists apart, so these are copies."""
        kwargs = {name: list(value) if type(value) is list else value for name, value in self.kwargs.items()}
        return forward(*self.args, **kwargs)

    def _replaced(self, name: str, value: Any, conditioning: Conditioning) -> Any:
        if name in conditioning:
            new = _alike(conditioning[name], value)
            if name in self.layout.frames:
                return new.repeat_interleave(len(value) // self.total, dim=0)
            return torch.cat([new, value[:, new.shape[1] :]], dim=1) if name in self.layout.tails else new
        if isinstance(value, dict):
            return {key: self._replaced(key, item, conditioning) for key, item in value.items()}
        return value

    def _name(self, index: int) -> str:
        return self.positional[index] if index < len(self.positional) else ""


@dataclass(frozen=True)
class _Choice:
    """Chooses rows in a nest of lists, tuples and dictionaries of tensors."""

    layout: BatchLayout
    total: int
    rows: Sequence[int]

    def of(self, name: str, value: Any) -> Any:
        """Return the rows of an argument; what has no rows stays."""
        if name in self.layout.shared:
            return value
        if name in self.layout.lists and isinstance(value, list):  # one entry for all where it has no row for each
            return [value[row if len(value) == self.total else 0] for row in self.rows]
        if isinstance(value, Tensor):
            return self._tensor(name, value)
        if isinstance(value, dict):
            return {key: self.of(key, item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.of(name, item) for item in value])
        return value

    def _tensor(self, name: str, value: Tensor) -> Tensor:
        dim = self.layout.dims.get(name, 0)
        if value.ndim <= dim:
            return value
        each = max(1, value.shape[dim] // self.total) if name in self.layout.frames else 1
        if value.shape[dim] != each * self.total:
            return value
        return torch.cat([value.narrow(dim, row * each, each) for row in self.rows], dim)


def joined(parts: Sequence[Conditioning], layout: BatchLayout) -> Conditioning:
    """Return the conditioning with the rows of all parts, in their order."""
    return {name: _join([part[name] for part in parts], layout.dims.get(name, 0)) for name in parts[0]}


def shape_of(conditioning: Conditioning) -> tuple[Any, ...]:
    """Return what must be equal of conditionings that are to be joined."""
    return tuple(
        (name, tuple(item.shape for item in value) if isinstance(value, list) else getattr(value, "shape", None))
        for name, value in conditioning.items()
    )


def _join(values: Sequence[Any], dim: int) -> Any:
    if isinstance(values[0], list):
        return [item for value in values for item in value]
    return None if values[0] is None else torch.cat(list(values), dim)


def _alike(new: Any, old: Any) -> Any:
    """Return new conditioning where and in the type in which the old one is."""
    if isinstance(new, list) and isinstance(old, list):
        return [_alike(item, old[0]) for item in new]
    return new.to(device=old.device, dtype=old.dtype) if isinstance(new, Tensor) and isinstance(old, Tensor) else new


def prediction_of(output: Any) -> Tensor:
    """Return the prediction of a denoiser's output (a tuple, an output object or a tensor), one row per prediction.

    It is contiguous: sums over a tensor depend on its layout in the last bit, and that on the size of the batch.
    """
    found = output
    if not isinstance(output, Tensor):
        found = output[0] if isinstance(output, tuple) else output.sample
    return torch.stack(found) if isinstance(found, list) else found.contiguous()


def with_prediction(output: Any, prediction: Tensor) -> Any:
    """Return an output of the same form with another prediction."""
    if isinstance(output, Tensor):
        return prediction
    first = output[0] if isinstance(output, tuple) else output.sample
    new = list(prediction.unbind()) if isinstance(first, list) else prediction
    return (new, *output[1:]) if isinstance(output, tuple) else type(output)(sample=new)
