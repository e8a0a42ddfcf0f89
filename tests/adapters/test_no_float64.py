"""Devices without float64, as mps: what is read from them is widened on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide.adapters.eps_scale import eps_scales
from semguide.guidance import Correction, Predictions, Rule, RuleSession, Step
from semguide.selection import DetectorScore, GuidanceEnergy


class Narrow(torch.Tensor):
    """A tensor of such a device."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.double:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        if func is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        return super().__torch_function__(func, types, args, kwargs or {})


class HalfSimilar(Rule[None]):
    name = "half-similar"

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        return Correction(narrow(0.0), narrow(0.5), narrow(0.5), narrow(0.5)), None


def narrow(*values: float) -> torch.Tensor:
    return torch.tensor(values).as_subclass(Narrow)


def test_the_stand_in_has_no_float64() -> None:
    with pytest.raises(TypeError, match="float64"):
        (2 * narrow(1.0)).double()


def test_a_trace_is_read() -> None:
    session = RuleSession(HalfSimilar(), [["a cat"]])
    session.correct(0, Step(0, 1, 7.5), Predictions(narrow(0.0), narrow(0.0), narrow(0.0)[None]))
    assert session.trace(1).similarity[0].tolist() == [[0.5]]


def test_seeds_are_scored() -> None:
    assert 0 < DetectorScore().score([narrow(0.5, 0.25)]) < 1
    assert GuidanceEnergy().score([narrow(1.5), narrow(2.0)]) == 3.5


@pytest.mark.parametrize("kind", ["v_prediction", "sample", "flow", "edm"])
def test_eps_scales_are_read_from_a_scheduler(kind: Any) -> None:
    from diffusers import DDIMScheduler, EDMEulerScheduler, FlowMatchEulerDiscreteScheduler

    makers = {"flow": FlowMatchEulerDiscreteScheduler, "edm": EDMEulerScheduler}
    scheduler: Any = makers[kind]() if kind in makers else DDIMScheduler(prediction_type=kind)
    scheduler.set_timesteps(4)
    expected = torch.stack([torch.as_tensor(scale) for scale in eps_scales(scheduler, 4, torch.device("cpu"))])
    for name in ("sigmas", "timesteps", "alphas_cumprod"):
        if hasattr(scheduler, name):
            setattr(scheduler, name, getattr(scheduler, name).as_subclass(Narrow))
    found = torch.stack([torch.as_tensor(scale) for scale in eps_scales(scheduler, 4, torch.device("cpu"))])
    assert torch.equal(found, expected)
