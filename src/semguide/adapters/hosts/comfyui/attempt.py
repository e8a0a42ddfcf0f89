"""One run of a guider that ends after its first steps where these promise too little, and may be finished later.

Imports ComfyUI: only nodes that run inside it import this module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.comfyui.evaluation import BATCH
from semguide.adapters.hosts.comfyui.guider import SemanticGuider
from semguide.adapters.hosts.sampler_session import SamplerSession

_samplers: Any = import_module("comfy.samplers")
_helpers: Any = import_module("comfy.sampler_helpers")
Latent = dict[str, Any]


@dataclass(frozen=True)
class Sampling:
    """What SamplerCustomAdvanced takes besides its guider.

    Attributes:
        noise: NOISE.
        sampler: SAMPLER.
        sigmas: The schedule, one more than there are steps.
        latent: LATENT.
    """

    noise: Any
    sampler: Any
    sigmas: Tensor
    latent: Latent

    @property
    def images(self) -> int:
        """Number of images; latents of several parts count as one."""
        return 1 if self.nested else len(self.latent["samples"])

    @property
    def nested(self) -> bool:
        """Whether the latent has several parts, such as a video and its sound."""
        return getattr(self.latent["samples"], "is_nested", False)

    def draw(self, guider: Any) -> tuple[Latent, Latent]:
        """Return what SamplerCustomAdvanced returns, with its previews and progress: it is what runs."""
        node = import_module("comfy_extras.nodes_custom_sampler").SamplerCustomAdvanced
        run = getattr(node, "execute", None) or node().sample
        found = run(noise=self.noise, guider=guider, sampler=self.sampler, sigmas=self.sigmas, latent_image=self.latent)
        first, second = getattr(found, "args", found)
        return first, second

    def alone(self, image: int, seed: int) -> Sampling:
        """Return the sampling of one image by itself with the noise that another seed has in its place."""
        one = {**self.latent, "samples": self.latent["samples"][image : image + 1]}
        return replace(self, noise=NoiseOfOne(self.noise, seed, image, self.images), latent=one)


class NoiseOfOne:
    """NOISE of one image of a batch, with another seed.

    Attributes:
        seed: The seed, of which samplers make the noise that they add on the way.
    """

    def __init__(self, noise: Any, seed: int, image: int, images: int) -> None:
        self.seed = seed
        self._noise, self._image, self._images = copy.copy(noise), image, images
        self._noise.seed = seed

    def generate_noise(self, latent: Latent) -> Tensor:
        """Return the noise of the image, as ComfyUI makes it for the batch."""
        batch = torch.cat([latent["samples"]] * self._images)
        return self._noise.generate_noise({**latent, "samples": batch})[self._image : self._image + 1]


class _TooLittle(Exception):
    """Ends a run after its first steps."""


@dataclass(frozen=True)
class _Evaluated:
    """A call of the model: what the sampler held, and what the model made of it, None where it is not kept."""

    x: Tensor
    images: list[Tensor] | None


class Attempt(SemanticGuider):
    """A guider's run with one seed.

    The decision falls before the first call after the first steps, so a run that goes on is that of the guider, to the
    bit. One that ended is finished by the same call made again: it begins with what the model made of the first steps.
    On a model with patches nothing is kept, as they may remember what they saw, and all steps are made again.

    Args:
        guider: The guider, which is left as it is.
        sampling: What to sample.
        threshold: Score from which an image is good enough; None: nothing is scored.

    Attributes:
        seed: The seed.
        scores: Of each image, from the end of its first steps on.
        drawn: What the sampler returned; None of a run that ended.
        evaluations: Evaluations of prompt, negative prompt and concepts, each image's counted, so far.
        repeats: Whether the sampler did the same again when the run was finished.
    """

    def __init__(self, guider: SemanticGuider, sampling: Sampling, threshold: float | None) -> None:
        super().__init__(guider.model_patcher, guider.rule)
        self.__dict__.update(vars(guider))
        self.seed: int = sampling.noise.seed
        self.scores: list[float] = []
        self.drawn: tuple[Latent, Latent] | None = None
        self.evaluations, self.repeats = 0, True
        self._sampling, self._threshold = sampling, threshold
        self._kept: list[_Evaluated] = []
        self._replay: Iterator[_Evaluated] = iter(())
        self._inner: Callable[[Mapping[str, Any]], Any] | None = None
        self._deciding, self._keeping = threshold is not None, True

    @property
    def patched(self) -> bool:
        """Whether anything on the model may remember what it saw, or tell the images of a batch apart."""
        return self._patched(self.model_options)

    def run(self) -> None:
        """Sample, to the end where some image is good enough."""
        try:
            self.drawn = self._sampling.draw(self)
        except _TooLittle:
            _helpers.cleanup_models(self.conds, self.loaded_models)  # as ComfyUI does it at the end of a run
            return
        if self._deciding and self._session is not None:
            self.scores = self._session.scores()

    def finish(self) -> tuple[Latent, Latent]:
        """Return what the sampler makes of all steps."""
        if self.drawn is None:
            self._deciding = self._keeping = False
            self._replay = iter(self._kept)
            self.drawn = self._sampling.draw(self)
            self._kept = []
        return self.drawn

    def forget(self) -> None:
        """Let go of what was kept to finish the run."""
        self._kept = []

    def place_of(self, image: int) -> int:
        """Return where an image of the batch is in this run: at its place, or alone."""
        return image if self._sampling.images > image else 0

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: Any = None) -> Tensor:
        """Return the guided denoised image of one call of the sampler."""
        session, options = self._session, dict[str, Any](model_options or {})
        if session is not None and self._keeping and session.step_of(float(timestep[0])) >= session.first:
            self._keeping = False
            self._decide(session)
        self._inner = options.get(BATCH)
        return super().predict_noise(x, timestep, {**options, BATCH: self._evaluated}, seed)

    def _decide(self, session: SamplerSession) -> None:
        """End the run where no image is good enough; NaN is no score to end it by."""
        if self._deciding and self._threshold is not None:
            session.check()
            self.scores = session.scores()
            if all(score < self._threshold for score in self.scores):
                raise _TooLittle
        self._kept = []

    def _evaluated(self, told: Mapping[str, Any]) -> Any:
        """Return the denoised images of conditionings: the kept ones while a run is made again, else the model's."""
        x, conds = told["input"], told["conds"]
        kept = next(self._replay, None)
        if kept is not None and not torch.equal(kept.x, x.cpu()):
            kept, self.repeats, self._replay = None, False, iter(())
        if kept is not None and kept.images is not None:
            return [image.to(x.device) for image in kept.images]
        self.evaluations += len(x) * sum(cond is not None for cond in conds)
        images = self._inner(told) if self._inner else _samplers.calc_cond_batch(*_positional(told))
        if self._keeping and self._deciding:
            copies = None if self.patched else [image.to("cpu", copy=True) for image in images]
            self._kept.append(_Evaluated(x.to("cpu", copy=True), copies))
        return images

    def _patched(self, options: dict[str, Any], *, caches: bool = True) -> bool:
        own = self._inner is None and options.get(BATCH) == self._evaluated
        others = {name: value for name, value in options.items() if not (own and name == BATCH)}
        return super()._patched(others, caches=caches)

    def _session_of(self, sigmas: list[float]) -> SamplerSession:
        scored = self._threshold is not None
        return SamplerSession(self.rule, self._names, sigmas, full_trace=self.full_trace, scored=scored)


def _positional(told: Mapping[str, Any]) -> list[Any]:
    return [told[name] for name in ("model", "conds", "input", "sigma", "model_options")]
