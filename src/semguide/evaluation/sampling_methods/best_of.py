"""Makers that start several seeds and take the best one by some criterion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from semguide import plugins
from semguide.adapters import SteeredPipeline, steer
from semguide.errors import InvalidArgument
from semguide.evaluation.clip_scorers import GROUP, clip_folder
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.sampling_methods.base import (
    SampledImage,
    SampleFunction,
    SamplingMethod,
    SamplingOptions,
    sample_with_rule,
)
from semguide.files import parse_value
from semguide.guidance import Rule, get_method
from semguide.guidance.attempts import THRESHOLD, attempts_of
from semguide.guidance.citations import CFG_REJECTION_PAPER, CLIP_PAPER, SGT_PAPER, SOFTWARE
from semguide.guidance.detector import Detector
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Branches
from semguide.guidance.signal_score import IN_PLACES, IN_TOKENS, first_steps
from semguide.models.fingerprint import fingerprint_files
from semguide.runs.generation import as_picture
from semguide.runs.methods import own_parameters
from semguide.selection import Criterion, DetectorScore, GuidanceEnergy, Selection, SignalScore, best_of, retry
from semguide.selection.criteria import looks_at
from semguide.types import Concept

RULE = (
    "Name of the rule that makes the images, at its defaults, or with others as in "
    '"sgt-v1:concept_guidance_scale=4,cooldown_steps=10".'
)
SEEDS = "How many seeds are started: the image's own and that plus 10,000, 20,000, ...; 1 is the rule alone."


class OfRule(SamplingMethod):
    """A sampling method whose images a rule makes: the one that its parameter `rule` names."""

    rule: str

    goes_without_guidance: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.image_rule()

    @property
    def branches(self) -> Branches:
        """What a pipeline with classifier-free guidance evaluates at each step."""
        return "both" if self.guidance_scale > 1 else "conditional"

    def image_rule(self) -> Rule[Any]:
        """Return the rule that makes the images.

        Raises:
            InvalidArgument: There is no such rule, or a parameter of it breaks a rule.
        """
        name, _, settings = self.rule.partition(":")
        kind = get_method(name)
        known = [each.name for each in own_parameters(kind)]
        given: dict[str, Any] = {}
        for setting in filter(None, settings.split(",")):
            field, _, value = (part.strip() for part in setting.partition("="))
            if field not in known:
                rule = f"must set parameters of {name}: {', '.join(known) or '(it has none)'}"
                raise InvalidArgument("rule", rule, setting, 'write it as in "sgt-v1:concept_guidance_scale=4"')
            given[field] = parse_value(value)
        return kind(guidance_scale=self.guidance_scale, **given)

    def step_evaluations(self, criterion: Criterion | None, count: int, concepts: int) -> list[int]:
        """Return the evaluations of each of `count` steps of a seed, with the concepts that a criterion looks at."""
        rule, branches = self.image_rule(), self.branches
        looked = [criterion is not None and looks_at(criterion, step, count) for step in range(count)]
        return [
            rule.evaluations(step, count, concepts, full_trace=looked[step], branches=branches) for step in range(count)
        ]


@dataclass(frozen=True)
class BestOf(OfRule):
    """Several seeds, of which one becomes the image: its own seed and that plus 10,000, 20,000, ..."""

    seeds: int = parameter(4, SEEDS, low=1, high=1000)
    rule: str = parameter("cfg", RULE)

    def candidates(self, seed: int) -> list[int]:
        """Return the seeds among which the image of a seed is chosen."""
        return attempts_of(seed, self.seeds - 1)

    def identity(self) -> dict[str, Any]:
        """Return the rule with all its parameters."""
        return {"rule": asdict(self.image_rule())}


@dataclass(frozen=True)
class EarlyChoice(BestOf):
    """Several seeds, of which all but one are dropped after the first steps."""

    fewest: ClassVar[int] = 1
    """An image of fewer concepts is that of its own seed: there is nothing to choose by."""

    @abstractmethod
    def criterion(self) -> Criterion:
        """Return what scores the first steps."""

    @abstractmethod
    def choose(self, steered: SteeredPipeline, prompt: str, **arguments: Any) -> Selection:
        """Make the image of a prompt from some seeds; the arguments are those that `best_of` and `retry` share."""

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Steer the pipeline with the rule."""
        steered, criterion, shared = steer(pipe, self.image_rule()), self.criterion(), sampling.call_arguments(pipe)
        sample = sample_with_rule(pipe, self.image_rule(), sampling)

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            if len(concepts) < self.fewest:
                return sample(prompt, concepts, seed)
            seeds = self.candidates(seed)
            found = self.choose(steered, prompt, concepts=list(concepts), seeds=seeds, criterion=criterion, **shared)
            candidates = [asdict(candidate) for candidate in found.candidates]
            (result,) = found.results
            image, details = as_picture(pipe, result.images[0]), {"candidates": candidates}
            return SampledImage(image, found.evaluations, result.trace, details, result.log_odds[0])

        return make


@dataclass(frozen=True)
class EarlyBestOf(EarlyChoice):
    """Several seeds, all started, of which the best is finished."""

    def choose(self, steered: SteeredPipeline, prompt: str, **arguments: Any) -> Selection:
        """Start all seeds and finish the best."""
        return best_of(steered, prompt, **arguments)

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the first steps of all seeds and the others of one."""
        criterion = self.criterion()
        costs, first = self.step_evaluations(criterion, steps, concepts), first_steps(criterion.stop, steps)
        return self.seeds * sum(costs[:first]) + sum(costs[first:])


@dataclass(frozen=True)
class BestOfDetector(EarlyBestOf):
    """Several seeds; after the first steps all are dropped but the one that the detector rates highest."""

    stop: float = parameter(1 / 3, "End of the first steps, as a fraction of all.", low=1e-6, high=1.0)
    every: int = parameter(
        1, "Look at the concepts at every so many of the first steps; a look costs an evaluation per concept.", low=1
    )

    name: ClassVar[str] = "best-of-detector"

    def criterion(self) -> DetectorScore:
        """Return the detector."""
        return DetectorScore(self.stop, self.every)

    def identity(self) -> dict[str, Any]:
        """Return rule and detector."""
        return {**super().identity(), "detector": asdict(Detector())}

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper whose observation the detector follows."""
        return SGT_PAPER


@dataclass(frozen=True)
class Retry(EarlyChoice):
    """One seed after another, until the first steps of one promise enough; the best of them becomes the image."""

    rule: str = parameter("sgt-balanced", RULE)
    stop: float = parameter(SignalScore.stop, "End of the first steps, as a fraction of all.", low=1e-6, high=1.0)
    threshold: float = parameter(THRESHOLD, "Score from which a seed is finished.", low=0.0, high=1.0)

    name: ClassVar[str] = "retry"
    fewest: ClassVar[int] = 2

    def criterion(self) -> SignalScore:
        """Return the score that holds under a rule."""
        return SignalScore(self.stop)

    def choose(self, steered: SteeredPipeline, prompt: str, **arguments: Any) -> Selection:
        """Start seeds until one promises enough, and finish the best."""
        return retry(steered, prompt, threshold=self.threshold, **arguments)

    def evaluations_per_image(self, steps: int, concepts: int) -> None:
        """Return None: it depends on the image."""
        del steps, concepts

    def identity(self) -> dict[str, Any]:
        """Return the rule and what scores."""
        return {**super().identity(), "fits": [asdict(IN_PLACES), asdict(IN_TOKENS)]}

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of this software."""
        return SOFTWARE


@dataclass(frozen=True)
class BestOfRejection(EarlyBestOf):
    """CFG-Rejection (arXiv 2505.23343): all seeds dropped but that of the largest sum of |e(P) - e(0)|^2.

    The paper drops what is below a threshold; here as many are started, and one is kept, as for the other criteria.
    """

    stop: float = parameter(1 / 3, "End of the summed steps, as a fraction of all.", low=1e-6, high=1.0)

    name: ClassVar[str] = "best-of-rejection"

    def criterion(self) -> GuidanceEnergy:
        """Return the accumulated difference."""
        return GuidanceEnergy(self.stop)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper."""
        return CFG_REJECTION_PAPER


def find_clip(name: str) -> Path:
    """Return the folder of a CLIP: an installed one by its name, or a folder.

    Raises:
        InvalidArgument: There is none.
    """
    folder = clip_folder(name)
    if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
        return folder.resolve()
    installed = ", ".join(plugins.names(GROUP)) or f"the name of an installed one ({plugins.EMBEDDED})"
    kind = "config.json and safetensors weights of one or of transformers' CLIPModel"
    raise InvalidArgument("clip", f"must be {installed}, or a folder with {kind}", name)


@dataclass(frozen=True)
class BestOfCLIP(BestOf):
    """Several whole images, of which the one that fits the prompt best by a CLIP is taken.

    What the CLIP computes is not counted in the evaluations.
    """

    seeds: int = parameter(2, SEEDS, low=1, high=1000)
    clip: str = parameter("emoji-clip", "emoji-clip, or the folder of one or of a CLIPModel of transformers.")

    name: ClassVar[str] = "best-of-clip"

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Load the CLIP and steer the pipeline with the rule."""
        sample = sample_with_rule(pipe, self.image_rule(), sampling)
        clip = load_clip(find_clip(self.clip), str(pipe._execution_device))

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            seeds = self.candidates(seed)
            made = [sample(prompt, concepts, candidate) for candidate in seeds]
            text = clip.texts([prompt])[0]
            scores = [float(text @ clip.image(found.still)) for found in made]
            best = max(range(len(made)), key=scores.__getitem__)
            candidates = [
                {"seed": seeds[i], "score": scores[i], "evaluations": made[i].evaluations, "kept": i == best}
                for i in range(len(made))
            ]
            total = sum(found.evaluations for found in made)
            return SampledImage(
                made[best].image, total, made[best].trace, {"candidates": candidates}, made[best].log_odds
            )

        return make

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the cost of all images."""
        return self.seeds * self.image_rule().evaluations_per_image(steps, concepts, branches=self.branches)

    def identity(self) -> dict[str, Any]:
        """Return rule and CLIP."""
        return {**super().identity(), "clip": fingerprint_files(find_clip(self.clip))}

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CLIP."""
        return CLIP_PAPER
