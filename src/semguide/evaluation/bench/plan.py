"""A benchmark: its prompts, methods and seeds, the tasks they give, and how the tasks are run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semguide.evaluation.metrics.scorer import Scorers
from semguide.evaluation.sampling_methods.base import SamplingOptions
from semguide.evaluation.suites import SuitePrompt
from semguide.files import digest
from semguide.models import LoadOptions

JUDGE, CLIP, VQA, BLIP_VQA = "judge", "clip", "vqa", "blip_vqa"
"""Keys of a benchmark's identity that determine verdicts and scores, not images."""
_NOT_IMAGE_KEYS = {"suite", "model", JUDGE, CLIP, VQA, BLIP_VQA}


@dataclass(frozen=True, slots=True)
class BenchMethod:
    """A method with all its parameters.

    Attributes:
        name: A name of `semguide.guidance.METHODS` or `semguide.evaluation.sampling_methods.SAMPLING_METHODS`.
        parameters: By name; "guidance_scale" only where it differs from that of the benchmark.
        identity: What else determines its images, as JSON values.
        num_inference_steps: Its own number of steps, where the benchmark has a budget; None: the benchmark's.
    """

    name: str
    parameters: dict[str, Any]
    identity: dict[str, Any] = field(default_factory=dict[str, Any])
    num_inference_steps: int | None = None

    @property
    def parameters_hash(self) -> str:
        """Hash of the parameters, 16 hex digits."""
        return digest(self.parameters)[:16]


@dataclass(frozen=True, slots=True)
class BenchTask:
    """One image to generate: indices of prompt and method in the benchmark, and the seed."""

    prompt: int
    method: int
    seed: int


@dataclass(frozen=True)
class Bench:
    """Methods on prompts, one image per method, prompt and seed.

    Attributes:
        suite: Name of the suite.
        prompts: The requested prompts of the suite.
        methods: The methods; the others are compared with the first.
        seeds: Seeds of every prompt and method.
        model: Model name as the user gave it.
        model_path: Its diffusers folder.
        judge_path: Folder of the judge; "": none.
        num_inference_steps: Steps of every image, unless its method has its own.
        guidance_scale: Guidance scale of methods that set none.
        height: Pixels.
        width: Pixels.
        num_frames: Frames of a video; None: pictures, or as many as the checkpoint says.
        full_trace: Whether concepts are evaluated at every step.
        keep_images: Whether the images are kept.
        scorers: Models that score the images.
        loading: How the model is loaded.
        identity: What else determines images (checkpoint, versions, dtype, loading), verdicts ("judge") and scores
            ("clip", "vqa", "blip_vqa"), as JSON values.
        evaluations: Denoiser evaluations of an image, of which the steps of the methods come; None: steps were given.
    """

    suite: str
    prompts: tuple[SuitePrompt, ...]
    methods: tuple[BenchMethod, ...]
    seeds: tuple[int, ...]
    model: str
    model_path: str
    judge_path: str
    num_inference_steps: int
    guidance_scale: float
    height: int
    width: int
    num_frames: int | None = None
    full_trace: bool = False
    keep_images: bool = False
    scorers: Scorers = field(default_factory=Scorers)
    loading: LoadOptions = field(default_factory=LoadOptions)
    identity: dict[str, Any] = field(default_factory=dict[str, Any])
    evaluations: int | None = None

    def sampling_of(self, method: BenchMethod) -> SamplingOptions:
        """Return the sampling options of a method."""
        return SamplingOptions(self.steps_of(method), self.height, self.width, self.full_trace, self.num_frames)

    def steps_of(self, method: BenchMethod) -> int:
        """Return the number of steps of a method's images."""
        return method.num_inference_steps or self.num_inference_steps

    def alone(self, method: BenchMethod) -> Bench:
        """Return the benchmark of one of its methods, with that method's number of steps as the benchmark's."""
        steps = self.steps_of(method)
        own = replace(method, num_inference_steps=None)
        return replace(self, methods=(own,), num_inference_steps=steps, evaluations=None)

    def scale_of(self, method: BenchMethod) -> float:
        """Return the guidance scale of a method's images."""
        return method.parameters.get("guidance_scale", self.guidance_scale)

    def shared_settings(self) -> dict[str, Any]:
        """Return the settings that all rows of a folder share, as JSON values."""
        steps = "num_inference_steps" if self.evaluations is None else "evaluations"
        names = ("suite", "model", steps, "guidance_scale", "height", "width", "full_trace")
        frames = {} if self.num_frames is None else {"num_frames": self.num_frames}
        return {**{name: getattr(self, name) for name in names}, **frames, **self.identity}

    def tasks(self) -> list[BenchTask]:
        """List the tasks, seed by seed and prompt by prompt, so that a prefix has all methods of a prompt."""
        return [
            BenchTask(prompt, method, seed)
            for seed in self.seeds
            for prompt in range(len(self.prompts))
            for method in range(len(self.methods))
        ]

    def shard(self, index: int, count: int) -> list[BenchTask]:
        """List the tasks of a shard; all methods of a prompt and seed stay together.

        Args:
            index: Number of the shard, 1 to `count`.
            count: Number of shards, >= 1.
        """
        return [task for i, task in enumerate(self.tasks()) if i // len(self.methods) % count == index - 1]

    def image_id(self, task: BenchTask) -> str:
        """Return the hash of everything that determines an image, 64 hex digits."""
        method, prompt = self.methods[task.method], self.prompts[task.prompt]
        alone = self.alone(method).shared_settings()
        settled = {key: value for key, value in alone.items() if key not in _NOT_IMAGE_KEYS}
        concepts = [concept.to_json() for concept in prompt.concepts]
        own = [method.identity] if method.identity else []
        return digest([settled, method.name, method.parameters, *own, prompt.text, concepts, task.seed])


def tasks_by_id(bench: Bench, tasks: Sequence[BenchTask]) -> dict[str, BenchTask]:
    """Return tasks by the id of their image."""
    return {bench.image_id(task): task for task in tasks}


@dataclass(frozen=True)
class Execution:
    """How the tasks of a benchmark are run.

    Attributes:
        bench: The benchmark.
        out: Its folder.
        device: torch device.
        label: Prefix of the row files' names.
        processes: Images generated at the same time, >= 1.
        ray: Address of a Ray cluster; "": processes of this machine.
        prepare: Called first in every process, to silence libraries; a module-level function.
    """

    bench: Bench
    out: Path
    device: str
    label: str
    processes: int = 1
    ray: str = ""
    prepare: Callable[[], None] | None = None
