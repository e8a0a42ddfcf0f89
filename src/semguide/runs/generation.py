"""Generation of the images of a run with a steered pipeline. Prints and writes nothing."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from semguide.errors import SemguideWarning
from semguide.models import VIDEOS
from semguide.runs.png import Video
from semguide.runs.run import Method, Run

if TYPE_CHECKING:
    from PIL.Image import Image

    from semguide.guidance import Rule
    from semguide.selection import PartialRun

OnStep = Callable[[Method, int, int], None]
"""Called after each step of an image: method, seed, denoiser evaluations of the step."""


@dataclass(frozen=True)
class GeneratedImage:
    """A generated image.

    Attributes:
        method: The method.
        seed: The seed.
        image: The PIL image, or the video.
        evaluations: Denoiser evaluations it took.
        seconds: Wall-clock seconds it took.
        alignment: Probability per concept that it is right, in [0, 1]; None where it is not fitted for the model, or
            the early steps say nothing of it.
        alignment_score: What orders the seeds on any model, no probability; None if the early steps say nothing.
        trace: `Trace.to_dict` of the image: concepts, and similarity, gate, weight by step and concept.
        warning: Why the method did not correct it; None where it did, or was not to.
        attempts: Seed, score and evaluations of every seed that was tried for it, and which one was kept; None where
            none was tried again.
    """

    method: Method
    seed: int
    image: Image | Video
    evaluations: int
    seconds: float
    alignment: list[float] | None
    alignment_score: float | None
    trace: dict[str, Any]
    warning: SemguideWarning | None = None
    attempts: list[dict[str, Any]] | None = None

    @property
    def frames(self) -> tuple[Image, ...]:
        """The frames of the video, or the one image."""
        return self.image.frames if isinstance(self.image, Video) else (self.image,)

    @property
    def fps(self) -> int | None:
        """Frames a second; None of an image."""
        return self.image.fps if isinstance(self.image, Video) else None

    @classmethod
    def from_output(
        cls, output: Any, index: int, method: Method, seed: int, seconds: float, pipe: Any
    ) -> GeneratedImage:
        """Take one image from the output of a steered pipeline.

        Args:
            output: The `Result` of a steered pipeline.
            index: 0-based index of the image in the batch.
            method: The method.
            seed: The seed.
            seconds: Wall-clock seconds it took.
            pipe: The pipeline that was steered.
        """
        return cls(
            method=method,
            seed=seed,
            image=as_picture(pipe, output.images[index]),
            evaluations=int(output.evaluations[index]),
            seconds=round(seconds, 3),
            alignment=None if output.alignment is None else output.alignment[index],
            alignment_score=output.alignment_score[index],
            trace=output.trace.to_dict()["images"][index],
            warning=output.idle[index] if output.idle else None,
        )


def generate_images(
    run: Run,
    rules: Mapping[str, Rule[Any]],
    pipe: Any,
    *,
    skip: Collection[tuple[str, int]] = (),
    on_step: OnStep | None = None,
) -> Iterator[GeneratedImage]:
    """Generate the images of a run, all methods of a seed before the next seed.

    Every image is a pipeline call of its own with its own CPU generator, so it depends on no other image of the run.

    Args:
        run: A checked run.
        rules: The rule of each of its methods, by the method's name.
        pipe: The pipeline of `run.model`, on `run.device`.
        skip: Method name and seed of images to leave out.
        on_step: Called after each step.

    Yields:
        Each image once it is generated.
    """
    from semguide.adapters import steer

    steered = {name: steer(pipe, rule) for name, rule in rules.items()}
    for seed in run.seeds:
        for method in run.methods:
            if (method.name, seed) not in skip:
                callback = _step_callback(run, method, seed, steered[method.name], on_step)
                yield generate_image(run, method, seed, steered[method.name], callback_on_step_end=callback)


def generate_image(run: Run, method: Method, seed: int, steered: Any, **call_hooks: Any) -> GeneratedImage:
    """Generate one image of a run.

    Args:
        run: A checked run.
        method: The method.
        seed: The seed.
        steered: What `steer` returned for the method.
        call_hooks: Arguments of the pipeline call that observe it, such as `callback_on_step_end`.
    """
    run = run.alone(method)
    if run.retries and len(run.concepts) > 1 and not steered.rule.is_noop:
        return _retried_image(run, method, seed, steered, call_hooks)
    begun = time.perf_counter()
    output = steered(
        run.prompt,
        generator=make_generator(seed),
        **call_arguments(run, steered.pipe),
        **accepted_hooks(steered.pipe, call_hooks),
    )
    return _image_of(run, method, seed, output, steered.pipe, time.perf_counter() - begun)


def _retried_image(run: Run, method: Method, seed: int, steered: Any, call_hooks: Mapping[str, Any]) -> GeneratedImage:
    from semguide.guidance.attempts import THRESHOLD, attempts_of
    from semguide.selection import SignalScore
    from semguide.selection.best_of import with_finished
    from semguide.selection.retries import start_until

    begun = time.perf_counter()
    arguments = {**call_arguments(run, steered.pipe), **accepted_hooks(steered.pipe, call_hooks)}
    best, tried = start_until(steered, run.prompt, attempts_of(seed, run.retries), THRESHOLD, SignalScore(), arguments)
    image = _finished_image(run, method, best, {})
    attempts = [asdict(with_finished(found, {best.seed: best.evaluations})) for found in tried]
    return replace(
        image,
        seed=seed,
        evaluations=sum(found["evaluations"] for found in attempts),
        seconds=round(time.perf_counter() - begun, 3),
        attempts=attempts,
    )


def finish_partial_run(run: Run, method: Method, start: PartialRun, on_step: OnStep | None = None) -> GeneratedImage:
    """Generate the remaining steps of an image.

    Args:
        run: A checked run.
        method: The method.
        start: The first steps.
        on_step: Called after each step.
    """
    callback = _step_callback(run, method, start.seed, start.steered, on_step)
    return _finished_image(run, method, start, {"callback_on_step_end": callback})


def _finished_image(run: Run, method: Method, start: PartialRun, call_hooks: Mapping[str, Any]) -> GeneratedImage:
    begun, pipe = time.perf_counter(), start.steered.pipe
    output = start.finish(**accepted_hooks(pipe, call_hooks))
    return _image_of(run, method, start.seed, output, pipe, start.seconds + time.perf_counter() - begun)


def _image_of(run: Run, method: Method, seed: int, output: Any, pipe: Any, seconds: float) -> GeneratedImage:
    image = GeneratedImage.from_output(output, 0, method, seed, seconds, pipe)
    if (warning := frames_warning(run.sampling.num_frames, len(image.frames))) is not None:
        warnings.warn(warning, stacklevel=2)
    return image


def frames_warning(asked: int | None, made: int) -> SemguideWarning | None:
    """Return the warning that a pipeline made another number of frames than it was asked for; None if it did not."""
    if asked in (None, made):
        return None
    told = f"the videos have {made} frames, as the model makes no {asked}"
    return SemguideWarning(told, "give {num_frames} another number")


def as_picture(pipe: Any, made: Any) -> Image | Video:
    """Return an image of a pipeline's output as it is, and the frames of a video as one."""
    video = VIDEOS.get(type(pipe).__name__)
    return made if video is None else Video(tuple(made), video.fps)


def make_generator(seed: int) -> Any:
    """Return the torch generator of an image; it is on the CPU, so that the noise is the same on every device."""
    import torch

    return torch.Generator("cpu").manual_seed(seed)


def call_arguments(run: Run, pipe: Any) -> dict[str, Any]:
    """Return the arguments of an image's pipeline call, except prompt and generator."""
    negative = negative_arguments(run, pipe, run.negative_prompt)
    return {"concepts": list(run.concepts), **negative, **sampling_arguments(run, pipe)}


def negative_arguments(run: Run, pipe: Any, negative: str | list[str]) -> dict[str, Any]:
    """Return a negative prompt, or those of a batch, as an argument of a pipeline call; none where there is none.

    Nor is there one without guidance, where it changes nothing, and pipelines of a few steps take none.
    """
    from semguide.adapters.pipelines.own_scale import branches_at

    given = bool(negative) and all(negative)  # PixArt takes no None
    guided = given and branches_at(pipe, run.sampling.guidance_scale) != "conditional"
    return {"negative_prompt": negative} if guided else {}


def sampling_arguments(run: Run, pipe: Any) -> dict[str, Any]:
    """Return the arguments of a pipeline call that a whole batch shares."""
    from semguide.adapters.pipelines.own_scale import own_scale

    return {
        **({"edits": run.edits} if run.edits else {}),
        "full_trace": run.full_trace,
        "num_inference_steps": run.sampling.num_inference_steps,
        **own_scale(pipe, run.sampling.guidance_scale),
        "height": run.sampling.height,
        "width": run.sampling.width,
        **video_arguments(pipe, run.sampling.num_frames),
        **step_arguments(pipe, run.sampling.num_inference_steps),
    }


def step_arguments(pipe: Any, steps: int) -> dict[str, Any]:
    """Return what a pipeline call needs besides its number of steps: Sana Sprint names the middle one of two only."""
    middle = "intermediate_timesteps"
    takes = middle in inspect.signature(type(pipe).__call__).parameters
    return {middle: None} if takes and steps != 2 else {}


def video_arguments(pipe: Any, num_frames: int | None) -> dict[str, Any]:
    """Return the arguments of a pipeline call that a video has besides those of a picture; None: its own frames."""
    video = VIDEOS.get(type(pipe).__name__)
    if video is None:
        return {}
    frames = {} if num_frames is None else {video.argument: num_frames}
    return {**frames, "output_type": "pil"}


def accepted_hooks(pipe: Any, call_hooks: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments that observe a call as the pipeline takes them.

    PixArt and DeepFloyd IF take a callback of the older form; the few pipelines that take none show no progress.

    Args:
        pipe: The pipeline.
        call_hooks: `callback_on_step_end` and others.
    """
    known, found = inspect.signature(type(pipe).__call__).parameters, dict(call_hooks)
    if "callback_on_step_end" in known or "callback_on_step_end" not in found:
        return found
    step_end = found.pop("callback_on_step_end")

    def callback(step: int, timestep: Any, latents: Any) -> None:
        step_end(pipe, step, timestep, {"latents": latents})

    return {**found, "callback": callback} if "callback" in known else found


def _step_callback(run: Run, method: Method, seed: int, steered: Any, on_step: OnStep | None) -> Any:
    from semguide.adapters.pipelines.own_scale import branches_at
    from semguide.guidance.edits import needed_edits

    count, rule = run.alone(method).sampling.num_inference_steps, steered.rule
    branches = branches_at(steered.pipe, run.sampling.guidance_scale)

    def callback(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if on_step is not None:
            own = rule.evaluations(step, count, len(run.concepts), full_trace=run.full_trace, branches=branches)
            on_step(method, seed, own + len(needed_edits(run.edits, step, count)))
        return tensors

    return callback
