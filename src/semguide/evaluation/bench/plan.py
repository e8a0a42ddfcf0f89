"""A benchmark as a value: which images it is made of, and what decides each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semguide.evaluation.makers.maker import SamplingOptions
from semguide.evaluation.metrics.scorer import Scorers
from semguide.evaluation.suites import SuitePrompt
from semguide.files import digest

JUDGE, CLIP, VQA, BLIP_VQA = "judge", "clip", "vqa", "blip_vqa"
"""Keys of a benchmark's identity that decide verdicts and scores, not images."""
_NOT_OF_IMAGES = {"suite", "model", JUDGE, CLIP, VQA, BLIP_VQA}


@dataclass(frozen=True, slots=True)
class BenchMethod:
    """A method with every parameter of its rule or maker.

    Attributes:
        name: A name of `semguide.guidance.METHODS` or `semguide.evaluation.makers.MAKERS`.
        parameters: By name; "guidance_scale" only where it differs from that of the benchmark.
        identity: What else decides its images, as JSON values.
    """

    name: str
    parameters: dict[str, Any]
    identity: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def parameters_hash(self) -> str:
        """16 hex digits over the parameters."""
        return digest(self.parameters)[:16]


@dataclass(frozen=True, slots=True)
class BenchTask:
    """One image to make: indices of prompt and method in the benchmark, and the seed."""

    prompt: int
    method: int
    seed: int


@dataclass(frozen=True)
class Bench:
    """Methods on prompts, one image per method, prompt and seed.

    Attributes:
        suite: Name of the suite.
        prompts: Its prompts, as far as they are asked for.
        methods: The methods; the others are compared with the first.
        seeds: Seeds of every prompt and method.
        model: Model name as the user gave it.
        model_path: Its diffusers folder.
        judge_path: Folder of the judge, "" for none.
        num_inference_steps: Steps of every image.
        guidance_scale: Guidance scale of every image, where its method has none of its own.
        height: Pixels.
        width: Pixels.
        full_trace: Whether concepts are evaluated at every step.
        keep_images: Whether the pictures are kept.
        scorers: Models that score the images.
        identity: What else decides images (checkpoint, versions, dtype), verdicts ("judge") and scores ("clip", "vqa",
            "blip_vqa"), as JSON values.
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
    full_trace: bool = False
    keep_images: bool = False
    scorers: Scorers = field(default_factory=Scorers)
    identity: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def sampling(self) -> SamplingOptions:
        """What all methods share."""
        return SamplingOptions(self.num_inference_steps, self.height, self.width, self.full_trace)

    def scale_of(self, method: BenchMethod) -> float:
        """Return the guidance scale of a method's images."""
        return method.parameters.get("guidance_scale", self.guidance_scale)

    def settled(self) -> dict[str, Any]:
        """Return what all rows of one folder have in common, as JSON values."""
        names = ("suite", "model", "num_inference_steps", "guidance_scale", "height", "width", "full_trace")
        return {**{name: getattr(self, name) for name in names}, **self.identity}

    def jobs(self) -> list[BenchTask]:
        """List the images: all methods of a prompt, all prompts of a seed, seed by seed, so that a part is paired."""
        return [
            BenchTask(prompt, method, seed)
            for seed in self.seeds
            for prompt in range(len(self.prompts))
            for method in range(len(self.methods))
        ]

    def shard(self, index: int, count: int) -> list[BenchTask]:
        """List the jobs of one shard: all methods of a prompt and seed stay together.

        Args:
            index: Which shard, from 1 to count.
            count: How many shards there are.
        """
        return [job for i, job in enumerate(self.jobs()) if i // len(self.methods) % count == index - 1]

    def image_id(self, job: BenchTask) -> str:
        """Return 64 hex digits over everything that decides an image."""
        method, prompt = self.methods[job.method], self.prompts[job.prompt]
        settled = {key: value for key, value in self.settled().items() if key not in _NOT_OF_IMAGES}
        concepts = [concept.to_json() for concept in prompt.concepts]
        own = [method.identity] if method.identity else []
        return digest([settled, method.name, method.parameters, *own, prompt.text, concepts, job.seed])


def ids(bench: Bench, jobs: Sequence[BenchTask]) -> dict[str, BenchTask]:
    """Return the jobs by the id of their image."""
    return {bench.image_id(job): job for job in jobs}
