"""One run of edits over some images: what is evaluated, what it corrects, and what each image remembers."""

from __future__ import annotations

from torch import Tensor

from semguide.concepts.edits import Edits
from semguide.guidance.edits import correct_edits, edits_act, needed_edits
from semguide.guidance.geometry import ConceptSamples, Sample
from semguide.guidance.rule import Step
from semguide.guidance.session import StepState


class EditSession:
    """Edits of the images of one call, from the first step to the last; the denoiser may be called twice in a step.

    Args:
        edits: The edits, the same for all images.
        images: Number of images.

    Attributes:
        edits: The edits.
    """

    def __init__(self, edits: Edits, images: int) -> None:
        self.edits = edits
        self._momenta = [StepState(None) for _ in range(images)]

    def needed(self, step: int, count: int) -> list[int]:
        """Return which edits are evaluated at a step (0-based)."""
        return needed_edits(self.edits, step, count)

    def acts(self, step: int, count: int) -> bool:
        """Say whether `correct` is to be called at a step (0-based)."""
        return edits_act(self.edits, step, count)

    def correct(self, image: int, step: Step, uncond: Sample, found: ConceptSamples) -> Tensor:
        """Return what the edits add to an image's guidance, in float32 or better.

        Args:
            image: The image.
            step: The step.
            uncond: e(0).
            found: e(c_k) of the edits that `needed` names.
        """
        momentum = self._momenta[image].at(step.index)
        delta, self._momenta[image].following = correct_edits(self.edits, uncond, found, step, momentum)
        return delta
