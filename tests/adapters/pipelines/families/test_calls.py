"""What holds for the calls of every family: plain guidance, repetition, batches, evaluations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import steer
from support.families.rows import ACTIVE, INERT, OTHER, batch, denoisers_of, every_row, marked, steered
from support.families.run import ROWS, arguments_of, made, run
from support.tiny.calls import CONCEPTS, PROMPT, noise

ENCODED_TOGETHER = ("control", "fill", "kandinsky3-img2img", "sd-adapter", "sdxl-adapter")
"""Pipelines that run a ControlNet, an adapter or their autoencoder on a batch, so that images differ by rounding."""
ONE_NOISE = (
    *("sd3-controlnet", "sd3-controlnet-inpaint", "qwen-image-controlnet-inpaint", "cogview4-control"),
    "kandinsky5-video-image",
)
"""Pipelines that encode the control images of a batch with noise of PyTorch's own generator, or norm a batch's first
frames as one, so that they differ."""


@every_row
def test_scale_zero_is_the_pipelines_own_guidance_to_the_bit(name: str) -> None:
    pipe, family = made(name), ROWS[name]
    plain = run(pipe, family)
    assert torch.equal(steered(pipe, family, INERT), plain)
    assert torch.equal(steered(pipe, family, INERT, full_trace=True), plain)


@every_row
def test_calls_with_other_concepts_leave_nothing_to_the_next(name: str) -> None:
    pipe, family = made(name), ROWS[name]
    tuned = steer(pipe, ACTIVE)
    first = run(tuned, family, concepts=CONCEPTS)
    other = run(tuned, family, concepts=[OTHER])
    assert first.isfinite().all()
    assert (first - run(pipe, family)).abs().max() > 1e-3 * first.abs().max()
    assert not torch.equal(other, first)
    assert torch.equal(run(tuned, family, concepts=CONCEPTS), first)


@pytest.mark.parametrize("name", marked(name for name, row in ROWS.items() if not row.single and name not in ONE_NOISE))
def test_each_image_of_a_batch_is_the_one_it_would_be_alone(name: str) -> None:
    pipe, family = made(name), ROWS[name]
    prompts, concepts = (PROMPT, OTHER), (CONCEPTS, [OTHER])
    together = steered(pipe, family, **batch(family, prompt=list(prompts), concepts=list(concepts)))
    for i in range(2):
        alone = steered(pipe, family, prompt=prompts[i], concepts=concepts[i], generator=[noise(i)])
        rounding = 1e-4 * alone.abs().max() if any(part in name for part in ENCODED_TOGETHER) else 0.0
        assert (together[i] - alone[0]).abs().max() <= rounding


@every_row
def test_evaluations_are_what_the_denoisers_were_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, family = made(name), ROWS[name]
    rows: list[int] = []

    def counted(forward: Any) -> Any:
        def counting(*args: Any, **kwargs: Any) -> Any:
            rows.append(len(args[0] if args else kwargs.get("hidden_states", kwargs.get("sample", ()))))
            return forward(*args, **kwargs)

        return counting

    for denoiser in denoisers_of(pipe):
        monkeypatch.setattr(denoiser, "forward", counted(denoiser.forward))
    count, more = (1, {}) if family.single else (2, batch(family))
    prompts, concepts = [PROMPT, OTHER][:count], [CONCEPTS, [OTHER]][:count]
    result = steer(pipe, ACTIVE)(prompts, concepts=concepts, **arguments_of(family, **more))
    steps = result.trace.similarity[0].shape[0]
    assert steps > 1
    lone = 1 if "embedded" in name else 2  # nothing beyond the host's own: SGT leaves a lone concept alone
    assert result.evaluations == [4 * steps, lone * steps][:count]
    assert sum(result.evaluations) == sum(rows)
