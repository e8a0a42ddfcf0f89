"""From differences of raw predictions to differences of eps."""

from __future__ import annotations

from typing import Any, cast

import diffusers
import pytest
import torch

from semguide.adapters.eps_scale import MIN_SCALE, eps_scales, first_step
from semguide.errors import UnsupportedPipeline

CPU = torch.device("cpu")
COUNT = 7
BETAS: dict[str, Any] = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
KARRAS = {"use_karras_sigmas": True}  # timesteps between the trained ones


def scheduler_of(name: str, **config: Any) -> Any:
    scheduler = getattr(diffusers, name)(**{**BETAS, **config})
    scheduler.set_timesteps(COUNT)
    return scheduler


def alpha_and_sigma(scheduler: Any, index: int) -> tuple[float, float]:
    """Return alpha and sigma of a step as the scheduler itself uses them."""
    if hasattr(scheduler, "sigmas"):
        sigma = float(scheduler.sigmas[index])
        return 1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5
    square = float(scheduler.alphas_cumprod[scheduler.timesteps[index]])
    return square**0.5, (1 - square) ** 0.5


CASES = [("DDIMScheduler", {}), ("EulerDiscreteScheduler", {}), ("EulerDiscreteScheduler", KARRAS)]


@pytest.mark.parametrize(("name", "config"), CASES)
def test_v_predictions_become_eps(name: str, config: dict[str, Any]) -> None:
    scheduler = scheduler_of(name, prediction_type="v_prediction", **config)
    for index, scale in enumerate(eps_scales(scheduler, COUNT, CPU)):
        alpha, sigma = alpha_and_sigma(scheduler, index)
        x, eps = 0.3, torch.tensor([0.1, 0.9], dtype=torch.float64)
        v = alpha * eps - sigma * (x - sigma * eps) / alpha
        assert float(scale * v.diff()) == pytest.approx(0.8, rel=1e-3)


@pytest.mark.parametrize(("name", "config"), CASES)
def test_x0_predictions_become_eps(name: str, config: dict[str, Any]) -> None:
    scheduler = scheduler_of(name, prediction_type="sample", **config)
    for index, scale in enumerate(eps_scales(scheduler, COUNT, CPU)):
        alpha, sigma = alpha_and_sigma(scheduler, index)
        x0 = (0.3 - sigma * torch.tensor([0.1, 0.9], dtype=torch.float64)) / alpha
        assert float(scale * x0.diff()) == pytest.approx(0.8, rel=2e-3)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_preconditioned_predictions_become_eps(kind: Any) -> None:
    scheduler = diffusers.EDMEulerScheduler(prediction_type=kind)
    scheduler.set_timesteps(COUNT)
    for index, scale in enumerate(eps_scales(scheduler, COUNT, CPU)):
        sigma, raw = scheduler.sigmas[index], torch.tensor([0.1, 0.9])
        x0 = scheduler.precondition_outputs(torch.tensor(0.3), raw, sigma)
        assert float(scale * 0.8) == pytest.approx(float(-x0.diff() / sigma), rel=1e-4)


def test_eps_predictions_are_eps() -> None:
    assert list(eps_scales(scheduler_of("DDIMScheduler"), COUNT, CPU)) == [1.0] * COUNT


def test_pure_noise_has_no_scale_of_zero() -> None:
    scheduler = scheduler_of(
        "DDIMScheduler", prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    assert float(eps_scales(scheduler, COUNT, CPU)[0]) == pytest.approx(MIN_SCALE)


FLOWS = [
    ("FlowMatchEulerDiscreteScheduler", {}),
    ("FlowMatchHeunDiscreteScheduler", {}),
    ("UniPCMultistepScheduler", {"prediction_type": "flow_prediction", "use_flow_sigmas": True}),
    ("DPMSolverMultistepScheduler", {"prediction_type": "flow_prediction", "use_flow_sigmas": True}),
]


@pytest.mark.parametrize(("name", "config"), FLOWS)
def test_flow_velocities_become_eps(name: str, config: dict[str, Any]) -> None:
    scheduler = getattr(diffusers, name)(**config)
    scheduler.set_timesteps(COUNT)
    scales = eps_scales(scheduler, len(scheduler.timesteps), CPU)
    assert len(scales) == len(scheduler.timesteps)
    for sigma, scale in zip(scheduler.sigmas[1:], scales[1:], strict=False):
        eps = torch.tensor([0.1, 0.9], dtype=torch.float64)
        velocity = eps - (0.3 - float(sigma) * eps) / (1 - float(sigma))  # x = 0.3 = (1 - sigma) x0 + sigma eps
        assert float(scale * velocity.diff()) == pytest.approx(0.8, rel=1e-4)


def test_flow_velocities_towards_the_picture_become_eps() -> None:
    """Mochi's scheduler: x = sigma x0 + (1 - sigma) eps, and the velocity is x0 - eps."""
    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(invert_sigmas=True)
    scheduler.set_timesteps(COUNT)
    for index, scale in enumerate(eps_scales(scheduler, COUNT, CPU)):
        sigma = max(float(scheduler.sigmas[index]), MIN_SCALE)
        x, eps = 0.3, torch.tensor([0.1, 0.9], dtype=torch.float64)
        velocity = (x - (1 - sigma) * eps) / sigma - eps
        assert float(scale * velocity.diff()) == pytest.approx(0.8, rel=1e-3)


def test_flow_velocities_at_levels_beyond_one_become_eps_as_cosmos_uses_them() -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True)
    scheduler.register_to_config(sigma_max=80.0, sigma_min=0.002, sigma_data=1.0)
    scheduler.set_timesteps(sigmas=torch.linspace(0, 1, COUNT).tolist())
    x, velocities = 0.7, (0.3, -0.2)
    for index, scale in enumerate(eps_scales(scheduler, COUNT, CPU)):
        sigma = float(cast(Any, scheduler.sigmas)[index])
        t = sigma / (sigma + 1)
        eps = [(x - ((1 - t) * x - t * velocity)) / sigma for velocity in velocities]
        assert float(scale) == pytest.approx(max((eps[0] - eps[1]) / 0.5, MIN_SCALE), rel=1e-5)


def test_x0_of_flow_models_becomes_eps() -> None:
    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(COUNT)
    scales = eps_scales(scheduler, COUNT, CPU, predicts_x0=True)
    assert float(scales[0]) == pytest.approx(-MIN_SCALE)  # pure noise
    for sigma, scale in zip(scheduler.sigmas[1:COUNT], scales[1:], strict=True):
        x0 = (0.3 - float(sigma) * torch.tensor([0.1, 0.9], dtype=torch.float64)) / (1 - float(sigma))
        assert float(scale * x0.diff()) == pytest.approx(0.8, rel=1e-4)


@pytest.mark.parametrize("name", ["DDIMScheduler", "HeunDiscreteScheduler", "PNDMScheduler", "EulerDiscreteScheduler"])
def test_runs_from_noise_begin_at_the_first_step(name: str) -> None:
    assert first_step(scheduler_of(name), COUNT) == 0


def test_runs_from_an_image_begin_at_a_later_step() -> None:
    assert first_step(scheduler_of("DDIMScheduler"), COUNT - 3) == 3
    scheduler = scheduler_of("HeunDiscreteScheduler")
    scheduler.set_begin_index(3 * scheduler.order)
    assert first_step(scheduler, COUNT - 3) == 6


@pytest.mark.parametrize("kind", ["v_prediction", "sample"])
def test_later_steps_have_their_own_scales(kind: str) -> None:
    scheduler = scheduler_of("DDIMScheduler", prediction_type=kind)
    assert list(eps_scales(scheduler, 3, CPU, start=4)) == list(eps_scales(scheduler, COUNT, CPU))[4:]


def test_unknown_prediction_types_are_refused() -> None:
    scheduler = scheduler_of("DDIMScheduler", prediction_type="score")
    with pytest.raises(UnsupportedPipeline, match="DDIMScheduler with prediction_type 'score' cannot be steered"):
        eps_scales(scheduler, COUNT, CPU)
