"""Pipelines that cannot be steered, and why."""

from __future__ import annotations

from semguide.adapters.architecture import Refused

REFUSED: tuple[Refused, ...] = (
    Refused(
        "Flux Fill",
        ("FluxFillPipeline",),
        "makes no unconditional prediction; use FluxInpaintPipeline with true_cfg_scale",
    ),
)
