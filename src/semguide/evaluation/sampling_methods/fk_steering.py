"""Feynman-Kac steering: particles that are resampled on the way by what a reward says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial, wraps
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from semguide.adapters import steer
from semguide.adapters.pipelines.patching import replaced_attribute
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.sampling_methods.base import SampledImage, SampleFunction, SamplingOptions, check_pipeline
from semguide.evaluation.sampling_methods.best_of import RULE, OfRule, find_clip
from semguide.evaluation.sampling_methods.rewards import ClipReward, CriterionReward, Reward
from semguide.guidance.attempts import attempts_of
from semguide.guidance.citations import FK_STEERING_PAPER
from semguide.guidance.parameters import parameter
from semguide.models.fingerprint import fingerprint_files
from semguide.selection import Criterion, DetectorScore, SignalScore
from semguide.types import Concept


@dataclass(frozen=True)
class FKSteering(OfRule):
    """Feynman-Kac steering (arXiv 2501.06848): several seeds at once, at some steps redrawn by their reward.

    At each of these steps every particle gets the weight exp(strength G), with the reward r of its present estimate of
    the image and G = r - r_before (`difference`) or the greatest r so far (`max`), and as many are drawn anew, with
    replacement, by their weights. The steps are random (`eta`), so that copies part. Of the finished particles the one
    of the highest reward becomes the image.

    It costs what the rule costs, for each particle; rewards of predictions need the concepts, at one evaluation each in
    the steps up to the last look. What a CLIP and the decoder compute is not counted.
    """

    particles: int = parameter(4, "Number of particles; 1 is the rule alone, with random steps.", low=1, high=1000)
    rule: str = parameter("cfg", RULE)
    reward: Literal["clip", "detector", "signals"] = parameter(
        "clip",
        "What rates particles: a CLIP that sees the decoded estimate, as best-of-clip's, or the first steps' "
        "predictions, as best-of-detector and retry use them.",
    )
    clip: str = parameter("emoji-clip", "emoji-clip, or the folder of one or of a CLIPModel of transformers.")
    strength: float = parameter(10.0, "How much a reward weighs; 0: all the same.", low=0.0, high=1e6)
    potential: Literal["difference", "max"] = parameter(
        "max", "What of the rewards weighs: their greatest so far, or their growth."
    )
    start: float = parameter(0.2, "First look, as a fraction of the steps.", low=0.0, high=1.0)
    stop: float = parameter(0.8, "No look after this fraction of the steps.", low=0.0, high=1.0)
    every: float = parameter(0.2, "From look to look, as a fraction of the steps.", low=1e-3, high=1.0)
    eta: float = parameter(1.0, "How random the steps of DDIM are; 0: not at all.", low=0.0, high=1.0)

    name: ClassVar[str] = "fk-steering"

    def looks(self, count: int) -> list[int]:
        """Return the 0-based steps after which particles are redrawn, the last step never."""
        number = int((self.stop - self.start) / self.every + 1e-9) + 1 if self.stop >= self.start else 0
        steps = [int((self.start + self.every * look) * count + 1e-9) for look in range(number)]
        return sorted({step for step in steps if step < count - 1})

    def criterion(self) -> Criterion | None:
        """Return what rates predictions; None for a CLIP."""
        kinds = {"detector": DetectorScore, "signals": SignalScore}
        return None if self.reward == "clip" else kinds[self.reward](stop=max(self.stop, 1e-6))

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines other than Stable Diffusion 1.x and 2.x.

        Raises:
            UnsupportedPipeline: It is another one.
        """
        del sampling
        check_pipeline(self.name, pipeline_class, ["StableDiffusionPipeline"])

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Load the reward and steer the pipeline with the rule.

        Raises:
            UnsupportedPipeline: The pipeline or its scheduler is another one.
        """
        self.check(type(pipe).__name__, sampling)
        if type(pipe.scheduler).__name__ != "DDIMScheduler":
            raise UnsupportedPipeline(
                f"fk-steering needs a DDIMScheduler, whose steps can be random, got {type(pipe.scheduler).__name__}"
            )
        steered, rate = steer(pipe, self.image_rule()), self._rewards(pipe)
        count = sampling.num_inference_steps

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            seeds = attempts_of(seed, self.particles - 1)
            reward = rate(prompt)
            population = Population(self, pipe, reward, count, torch.Generator("cpu").manual_seed(seed))
            with replaced_attribute(pipe.scheduler, "step", population.watched(pipe.scheduler.step)):
                result = steered(
                    prompt,
                    concepts=list(concepts),
                    watcher=reward.watcher,
                    num_images_per_prompt=self.particles,
                    generator=[torch.Generator("cpu").manual_seed(each) for each in seeds],
                    callback_on_step_end=population.redraw,
                    eta=self.eta,
                    **sampling.call_arguments(pipe),
                )
            rewards = reward.of(lambda: result.images)
            best = max(range(self.particles), key=rewards.__getitem__)
            details = {"looks": population.record, "rewards": rewards, "kept": best}
            return SampledImage(result.images[best], sum(result.evaluations), details=details)

        return make

    def _rewards(self, pipe: Any) -> Callable[[str], Reward]:
        """Return what makes the reward of a prompt."""
        criterion = self.criterion()
        if criterion is not None:
            return lambda prompt: CriterionReward(criterion, self.particles)
        return partial(ClipReward, load_clip(find_clip(self.clip), str(pipe._execution_device)))

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the rule's cost for all particles, with the looks at the concepts that the reward needs."""
        return self.particles * sum(self.step_evaluations(self.criterion(), steps, concepts))

    def identity(self) -> dict[str, Any]:
        """Return the rule and what rates."""
        criterion = self.criterion()
        rated = fingerprint_files(find_clip(self.clip)) if criterion is None else repr(criterion)
        return {"rule": asdict(self.image_rule()), "reward": rated}

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper."""
        return FK_STEERING_PAPER


class Population:
    """The particles of an image, on their way.

    Args:
        method: The parameters.
        pipe: The pipeline.
        reward: What rates the particles.
        count: Number of steps.
        generator: Draws.

    Attributes:
        record: Of each look its step, the rewards and which particle each is a copy of.
    """

    def __init__(self, method: FKSteering, pipe: Any, reward: Reward, count: int, generator: torch.Generator) -> None:
        self.record: list[dict[str, Any]] = []
        self._method, self._pipe, self._reward, self._generator = method, pipe, reward, generator
        self._looks = set(method.looks(count)) if method.particles > 1 else set[int]()
        self._estimate: Tensor | None = None
        self._before: Tensor | None = None

    def watched(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return the scheduler's step, of which the estimates of the images are taken down."""

        @wraps(step)  # the pipeline reads its signature
        def taken(*args: Any, **kwargs: Any) -> Any:
            output = step(*args, **kwargs)
            self._estimate = output[1]
            return output

        return taken

    def redraw(self, _: Any, step: int, __: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Draw the particles anew where there is a look."""
        if step not in self._looks:
            return given
        rewards = torch.tensor(self._reward.of(self._images), dtype=torch.float64)
        weights, kept = potentials(rewards, self._before, self._method.potential)
        chosen = draw(weights, self._method.strength, self._generator)
        self._before = kept[chosen]
        copies = [int(index) for index in chosen]
        self._reward.copy(copies)
        self.record.append({"step": step, "rewards": [float(reward) for reward in rewards], "copies": copies})
        return {**given, "latents": given["latents"][copies]}

    def _images(self) -> list[Any]:
        """Decode the estimates."""
        assert self._estimate is not None  # a step was made
        vae, processor = self._pipe.vae, self._pipe.image_processor
        decoded = vae.decode(self._estimate / vae.config.scaling_factor, return_dict=False)[0]
        return processor.postprocess(decoded, output_type="pil")


def potentials(
    rewards: Tensor, before: Tensor | None, potential: Literal["difference", "max"]
) -> tuple[Tensor, Tensor]:
    """Return G of each particle, and what of it the next look is to know.

    Args:
        rewards: Of each particle.
        before: What the look before left to be known of each; None at the first.
        potential: Which G.
    """
    if potential == "difference":
        return rewards if before is None else rewards - before, rewards
    greatest = rewards if before is None else torch.maximum(rewards, before)
    return greatest, greatest


def draw(weights: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return as many particles as there are, drawn with replacement by exp(strength G).

    Args:
        weights: G of each particle.
        strength: How much it weighs, >= 0.
        generator: Draws.
    """
    return torch.multinomial((strength * weights).softmax(dim=0), len(weights), replacement=True, generator=generator)
