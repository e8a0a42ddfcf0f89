"""A maker that makes several images and takes the one that fits the prompt best by a CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semguide import plugins
from semguide.errors import InvalidArgument
from semguide.evaluation.clip_scorers import GROUP, clip_folder
from semguide.evaluation.makers.best_of import SEEDS, BestOf
from semguide.evaluation.makers.maker import MakeOne, SampledImage, SamplingOptions
from semguide.evaluation.makers.rules import by_rule
from semguide.evaluation.metrics.clip import load_clip
from semguide.guidance.citations import CLIP_PAPER
from semguide.guidance.parameters import parameter
from semguide.models.fingerprint import fingerprint_files
from semguide.types import Concept


def find_clip(name: str) -> Path:
    """Return the folder of a CLIP: an installed one by its name, or a folder.

    Raises:
        InvalidArgument: There is none.
    """
    folder = clip_folder(name)
    if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
        return folder.resolve()
    installed = ", ".join(plugins.names(GROUP)) or f"the name of an installed one ({plugins.EMBEDDED})"
    raise InvalidArgument(
        f"clip must be {installed}, or a folder with config.json and safetensors weights of one or of transformers' "
        f"CLIPModel, got {name!r}; give such a folder"
    )


@dataclass(frozen=True)
class BestOfCLIP(BestOf):
    """Several whole images, of which the one that fits the prompt best by a CLIP is taken.

    What the CLIP computes is not counted in the evaluations.
    """

    seeds: int = parameter(2, SEEDS, low=1, high=1000)
    clip: str = parameter("emoji-clip", "emoji-clip, or the folder of one or of a CLIPModel of transformers.")

    name: ClassVar[str] = "best-of-clip"

    def bind(self, pipe: Any, sampling: SamplingOptions) -> MakeOne:
        """Load the CLIP and steer the pipeline with the rule."""
        one, clip = by_rule(pipe, self.made_by(), sampling), load_clip(find_clip(self.clip), str(pipe.device))

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            seeds = self.candidates(seed)
            made = [one(prompt, concepts, candidate) for candidate in seeds]
            text = clip.texts([prompt])[0]
            scores = [float(text @ clip.image(found.image)) for found in made]
            best = max(range(len(made)), key=scores.__getitem__)
            candidates = [
                {"seed": seeds[i], "score": scores[i], "evaluations": made[i].evaluations, "kept": i == best}
                for i in range(len(made))
            ]
            total = sum(found.evaluations for found in made)
            return SampledImage(made[best].image, total, made[best].trace, {"candidates": candidates})

        return make

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the cost of all images."""
        return self.seeds * self.made_by().evaluations_per_image(steps, concepts)

    def identity(self) -> dict[str, Any]:
        """Return rule and CLIP."""
        return {**super().identity(), "clip": fingerprint_files(find_clip(self.clip))}

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CLIP."""
        return CLIP_PAPER
