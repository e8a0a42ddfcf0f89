import diffusers
import pytest
import torch

from semguide.server.latent_preview import encode_preview, predict_x0


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("DDIMScheduler", {"clip_sample": False}),
        ("EulerDiscreteScheduler", {}),
        ("FlowMatchEulerDiscreteScheduler", {}),
        ("DPMSolverMultistepScheduler", {"solver_order": 1}),
    ],
)
def test_the_estimate_is_the_picture_that_a_step_points_to(name: str, settings: dict):
    scheduler = getattr(diffusers, name)(**settings)
    scheduler.set_timesteps(8)
    generator = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(1, 4, 8, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    flow = "Flow" in name
    x = x0
    for step, t in enumerate(scheduler.timesteps[:-1]):
        if step == 0:
            first = scheduler.timesteps[:1]
            x = scheduler.scale_noise(x0, first, eps) if flow else scheduler.add_noise(x0, eps, first)
        scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else None
        after = scheduler.step(eps - x0 if flow else eps, t, x).prev_sample
        assert torch.allclose(predict_x0(scheduler, x, after, step).double(), x0, atol=1e-3)
        x = after


def test_latents_with_fresh_noise_are_shown_at_the_last_step_only():
    scheduler = diffusers.LCMScheduler()
    scheduler.set_timesteps(4)
    before, after = torch.randn(2, 1, 4, 8, 8)
    assert [predict_x0(scheduler, before, after, step) for step in range(3)] == [None] * 3
    assert predict_x0(scheduler, before, after, 3) is after


def test_where_nothing_is_known_the_estimate_is_the_latents_themselves():
    scheduler = diffusers.DDIMScheduler()
    scheduler.set_timesteps(4)
    after = torch.ones(1, 4, 8, 8)
    assert predict_x0(scheduler, None, after, 0) is after
    assert predict_x0(scheduler, after, after, 3) is after


def test_a_preview_is_small_however_large_the_picture(worker):
    pipe = worker.pipelines["tiny-sd"]
    large, small = (encode_preview(pipe, torch.zeros(1, 4, side, side)) or "" for side in (96, 32))
    assert small.startswith("data:image/jpeg;base64,")
    assert large == small
    assert encode_preview(pipe, torch.zeros(1, 16, 64)) is None
