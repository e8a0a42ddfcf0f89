"""What the denoiser returned in the first steps of a pipeline call, to be returned again in their place.

A pipeline cannot begin in the middle: its scheduler, its noise source and a rule's state are those of the steps
before. So the call is made again from the start, with the outputs of the first steps taken from the tape. It is the
same call to the last bit, and only the steps that follow cost evaluations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.patching import Forward, replaced_forward


class DenoiserReplay:
    """Records the denoiser outputs of one pipeline call, and gives them back once, in the next.

    Args:
        architecture: The pipeline's row of the table.

    Attributes:
        evaluations: Rows that the denoiser really evaluated, in both calls.
    """

    def __init__(self, architecture: PipelineSpec) -> None:
        self.evaluations = 0
        self._architecture = architecture
        self._outputs: deque[Any] = deque()

    @contextmanager
    def recording(self, pipe: Any) -> Iterator[None]:
        """Keep what the denoiser returns, while the context lasts."""
        with self._installed(pipe, lambda output: self._outputs.append(_copy(output))):
            yield

    @contextmanager
    def replaying(self, pipe: Any) -> Iterator[None]:
        """Return what was kept, in its order, and evaluate from where it ends, while the context lasts."""
        with self._installed(pipe, lambda output: None, replay=True):
            yield

    @contextmanager
    def _installed(self, pipe: Any, keep: Any, replay: bool = False) -> Iterator[None]:
        def wrap(forward: Forward) -> Forward:
            def taped(*args: Any, **kwargs: Any) -> Any:
                if replay and self._outputs:
                    return self._outputs.popleft()
                output = forward(*args, **kwargs)
                row = self._architecture
                self.evaluations += DenoiserCall(row.positional, row.rows, args, kwargs).total
                keep(output)
                return output

            return taped

        with ExitStack() as stack:
            for name in self._architecture.denoisers:
                denoiser = getattr(pipe, name, None)
                if denoiser is not None:
                    stack.enter_context(replaced_forward(denoiser, wrap))
            yield


def _copy(output: Any) -> Any:
    """Copy the tensors of an output: what takes it may change them in place."""
    if isinstance(output, Tensor):
        return output.clone()
    if isinstance(output, dict):  # diffusers' output objects, too
        return type(output)(**{key: _copy(value) for key, value in output.items()})
    if isinstance(output, list | tuple):
        return type(output)(_copy(item) for item in output)
    return output
