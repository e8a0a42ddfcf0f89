"""Schedulers of tiny pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOW: dict[str, Any] = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
"""What makes a multistep scheduler one of flow models."""
VELOCITY: dict[str, Any] = {
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
"""What makes a scheduler one of the CogView and CogVideoX models."""


def scheduler(name: str, **config: Any) -> Any:
    """Build a scheduler of this class of diffusers."""
    import diffusers

    return getattr(diffusers, name)(**config)


def flow(shift: float | None = None, **config: Any) -> Any:
    """Build diffusers' flow-matching Euler scheduler, with a shift or, without one, with a dynamic one."""
    own: dict[str, Any] = {"use_dynamic_shifting": True} if shift is None else {"shift": shift}
    return scheduler("FlowMatchEulerDiscreteScheduler", **own, **config)


def of_velocity(parts: Mapping[str, Any]) -> Any:
    """Return a scheduler like that of a pipeline's components, for a denoiser that predicts v."""
    own = parts["scheduler"]
    return type(own).from_config(own.config, prediction_type="v_prediction")


def lcm(parts: Mapping[str, Any]) -> Any:
    """Return the scheduler of latent consistency models with the noise levels of a pipeline's own."""
    from diffusers import LCMScheduler

    return LCMScheduler.from_config(parts["scheduler"].config)


def trigflow(parts: Mapping[str, Any]) -> Any:
    """Return the scheduler of Sana Sprint."""
    del parts
    return scheduler("SCMScheduler")
