"""What a pipeline costs that moves its latents by gradients."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from semguide.adapters.pipelines.patching import replaced_attribute


@dataclass
class Cost:
    """What was run.

    Attributes:
        forward: Rows that the denoiser evaluated.
        backward: Gradients of one row.
    """

    forward: int = 0
    backward: int = 0

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations, a gradient counting as two."""
        return self.forward + 2 * self.backward


@contextmanager
def counted(denoiser: Any, pipe: Any) -> Generator[Cost, None, None]:
    """Count the forward rows of a denoiser and the moves by gradients of Attend-and-Excite while the context lasts."""
    cost = Cost()
    update = pipe._update_latent

    def count_rows(module: Any, args: tuple[Any, ...]) -> None:
        del module
        cost.forward += len(args[0])

    def count_move(*args: Any, **kwargs: Any) -> Any:
        cost.backward += 1
        return update(*args, **kwargs)

    hook = denoiser.register_forward_pre_hook(count_rows)
    try:
        with replaced_attribute(pipe, "_update_latent", count_move):
            yield cost
    finally:
        hook.remove()
