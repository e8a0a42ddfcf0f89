"""Makers that start several seeds and take the best one by some criterion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from semguide.adapters import steer
from semguide.evaluation.makers.maker import MakeOne, SampledImage, SamplingMethod, SamplingOptions
from semguide.guidance import Rule, get_method
from semguide.guidance.citations import CFG_REJECTION_PAPER, SGT_PAPER
from semguide.guidance.detector import Detector
from semguide.guidance.parameters import parameter
from semguide.selection import Criterion, DetectorScore, GuidanceEnergy, best_of
from semguide.selection.criteria import first_steps
from semguide.types import Concept

STRIDE = 10_000
"""Distance of the seeds among which an image is chosen: its own, and others that no other image of a benchmark has."""
SEEDS = "How many seeds are started: the image's own and that plus 10,000, 20,000, ...; 1 is the rule alone."


@dataclass(frozen=True)
class BestOf(SamplingMethod):
    """Several seeds, of which one becomes the image: its own seed and that plus 10,000, 20,000, ..."""

    seeds: int = parameter(4, SEEDS, low=1, high=1000)
    rule: str = parameter("cfg", "Name of the rule that makes the images, at its defaults.")

    def __post_init__(self) -> None:
        super().__post_init__()
        get_method(self.rule)

    def made_by(self) -> Rule[Any]:
        """Return the rule that makes the images."""
        return get_method(self.rule)(guidance_scale=self.guidance_scale)

    def candidates(self, seed: int) -> list[int]:
        """Return the seeds among which the image of a seed is chosen."""
        return [seed + STRIDE * number for number in range(self.seeds)]

    def identity(self) -> dict[str, Any]:
        """Return the rule with all its parameters."""
        return {"rule": asdict(self.made_by())}


@dataclass(frozen=True)
class EarlyBestOf(BestOf):
    """Several seeds, of which all but one are dropped after the first steps."""

    @abstractmethod
    def criterion(self) -> Criterion:
        """Return what scores the first steps."""

    def bind(self, pipe: Any, sampling: SamplingOptions) -> MakeOne:
        """Steer the pipeline with the rule."""
        steered, criterion = steer(pipe, self.made_by()), self.criterion()
        shared = asdict(sampling)

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            found = best_of(
                steered, prompt, concepts=list(concepts), seeds=self.candidates(seed), criterion=criterion, **shared
            )
            candidates = [asdict(candidate) for candidate in found.candidates]
            return SampledImage(found.images[0], found.evaluations, found.results[0].trace, {"candidates": candidates})

        return make

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the first steps of all seeds and the others of one."""
        rule, criterion, first = self.made_by(), self.criterion(), first_steps(self.criterion().stop, steps)

        def cost(step: int) -> int:
            looked = step < first and criterion.needs_concepts(step, steps)
            return rule.evaluations(step, steps, concepts, full_trace=looked)

        return self.seeds * sum(map(cost, range(first))) + sum(map(cost, range(first, steps)))


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
