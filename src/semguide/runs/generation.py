"""The generation loop: a run and a pipeline in, images out as they are finished. Prints and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semguide.runs.run import Method, Run

if TYPE_CHECKING:
    from PIL.Image import Image

    from semguide.guidance import Rule
    from semguide.selection import PartialRun

OnStep = Callable[[Method, int, int], None]
"""Called after each step of an image: method, seed, denoiser evaluations of the step."""


@dataclass(frozen=True)
class GeneratedImage:
    """One finished image.

    Attributes:
        method: Its method.
        seed: Its seed.
        image: The picture.
        evaluations: Denoiser evaluations it took.
        seconds: Wall-clock seconds it took.
        alignment: Probability per concept that it is right; None where the early steps say nothing about it.
        trace: `Trace.to_dict` of the image: concepts, and similarity, gate, weight by step and concept.
    """

    method: Method
    seed: int
    image: Image
    evaluations: int
    seconds: float
    alignment: list[float] | None
    trace: dict[str, Any]


def make_images(
    run: Run,
    rules: Mapping[str, Rule[Any]],
    pipe: Any,
    *,
    skip: Collection[tuple[str, int]] = (),
    on_step: OnStep | None = None,
) -> Iterator[GeneratedImage]:
    """Make the images of a run, all methods of a seed before the next seed.

    Every image is a pipeline call of its own with its own CPU generator, so it depends on no other image of the run.

    Args:
        run: A checked run.
        rules: The rule of each of its methods, by the method's name.
        pipe: The pipeline of `run.model`, on `run.device`.
        skip: Method name and seed of images not to make.
        on_step: Called after each step.

    Yields:
        Each image when it is finished.
    """
    from semguide.adapters import steer

    steered = {name: steer(pipe, rule) for name, rule in rules.items()}
    for seed in run.seeds:
        for method in run.methods:
            if (method.name, seed) not in skip:
                yield make_image(run, method, seed, steered[method.name], on_step)


def make_image(run: Run, method: Method, seed: int, steered: Any, on_step: OnStep | None = None) -> GeneratedImage:
    """Make one image of a run with a pipeline that `steer` returned."""
    return make_with(
        run, method, seed, steered, callback_on_step_end=_step_callback(run, method, seed, steered.rule, on_step)
    )


def make_with(run: Run, method: Method, seed: int, steered: Any, **hooks: Any) -> GeneratedImage:
    """Make one image of a run; `hooks` are arguments of the call that look on and change nothing."""
    start = time.perf_counter()
    result = steered(run.prompt, generator=generator_of(seed), **call_arguments(run), **hooks)
    return made_image(result, 0, method, seed, time.perf_counter() - start)


def finish_image(
    run: Run, method: Method, rule: Rule[Any], start: PartialRun, on_step: OnStep | None = None
) -> GeneratedImage:
    """Make the rest of an image of a run whose first steps are made."""
    begun = time.perf_counter()
    result = start.finish(callback_on_step_end=_step_callback(run, method, start.seed, rule, on_step))
    return made_image(result, 0, method, start.seed, start.seconds + time.perf_counter() - begun)


def generator_of(seed: int) -> Any:
    """Return the noise source of one image: on the CPU, so that it is the same on every device."""
    import torch

    return torch.Generator("cpu").manual_seed(seed)


def call_arguments(run: Run) -> dict[str, Any]:
    """Return the arguments of the steered call of an image, but for prompt and noise source."""
    return {
        "concepts": list(run.concepts),
        "negative_prompt": run.negative_prompt or None,
        **sampling_arguments(run),
    }


def sampling_arguments(run: Run) -> dict[str, Any]:
    """Return the arguments of a steered call that all images of a run share."""
    return {
        "full_trace": run.full_trace,
        "num_inference_steps": run.sampling.num_inference_steps,
        "guidance_scale": run.sampling.guidance_scale,
        "height": run.sampling.height,
        "width": run.sampling.width,
    }


def made_image(result: Any, index: int, method: Method, seed: int, seconds: float) -> GeneratedImage:
    """Take one image out of what a steered pipeline returned."""
    return GeneratedImage(
        method=method,
        seed=seed,
        image=result.images[index],
        evaluations=int(result.evaluations[index]),
        seconds=round(seconds, 3),
        alignment=None if result.alignment is None else [float(value) for value in result.alignment[index]],
        trace=result.trace.to_dict()["images"][index],
    )


def _step_callback(run: Run, method: Method, seed: int, rule: Rule[Any], on_step: OnStep | None) -> Any:
    count = run.sampling.num_inference_steps

    def callback(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if on_step is not None:
            on_step(method, seed, rule.evaluations(step, count, len(run.concepts), full_trace=run.full_trace))
        return tensors

    return callback
