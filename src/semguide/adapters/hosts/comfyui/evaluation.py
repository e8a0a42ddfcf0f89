"""How the network is asked for prompt, negative prompt and concepts. Imports ComfyUI, as the guider does.

Patches of a model know of one pair, prompt and negative prompt, which they tell apart by their numbers, or by their
places in a batch of two. So on a model with patches each concept is evaluated as a pair with the negative prompt. Only
wrappers get a concept alone, as at a cfg of 1: they may know conditionings by their ids, and take a negative prompt
that comes again for one that does not change. ComfyUI's own caches are no patches in this sense, but guess the whole
call at some steps: what is compared must then be of the same call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from torch import Tensor

from semguide.adapters.hosts.comfyui.regions import Entries, Part

_samplers: Any = import_module("comfy.samplers")
BATCH, PAIRS = "sampler_calc_cond_batch_function", "disable_cfg1_optimization"
KEY = "semguide"
"""Under which this package's own wrapper is kept, which looks at no evaluation."""
_CACHES = frozenset({"easycache", "lazycache"})
"""Under which ComfyUI's caches are kept: they know conditionings by their ids, and take any number of them."""
GUESSED = (
    "EasyCache guesses predictions at some steps, with which concepts cannot be compared here: the images are those of "
    "plain guidance. Take Semantic Guidance (Guider) without other patches of the network, or LazyCache."
)
_PATCHES = ("patches", "patches_replace")
"""What ComfyUI keeps in `transformer_options` of the functions in a model, besides wrappers."""
_HARMLESS = frozenset({"model_sampling", "latent_format"})
"""Objects of a model that may be exchanged without touching its network."""
Options = Mapping[str, Any]


class Evaluator:
    """The network at one call of a sampler.

    Args:
        model: ComfyUI's model.
        x: The noisy latents.
        sigma: The noise level, (image,).
        options: The model's options.
    """

    def __init__(self, model: Any, x: Tensor, sigma: Tensor, options: Options) -> None:
        self._model, self._x, self._sigma, self._options = model, x, sigma, options

    def __call__(self, conds: Sequence[Entries | None]) -> Sequence[Tensor]:
        """Return the denoised image of each conditioning, by the function that a patch has put in the place of it."""
        if BATCH in self._options:
            call = {"input": self._x, "sigma": self._sigma, "model": self._model, "model_options": self._options}
            return self._options[BATCH]({"conds": list(conds), **call})
        return _samplers.calc_cond_batch(self._model, list(conds), self._x, self._sigma, self._options)

    def in_one(
        self, pair: Sequence[Entries | None], parts: Sequence[Part]
    ) -> tuple[Sequence[Tensor], list[Sequence[Tensor]]]:
        """Return what `apart` does, of one call: for a model without patches."""
        wanted = [part.conds() for part in parts]
        out = iter(self([*pair, *(cond for each in wanted for cond in each if cond is not None)]))
        first = [next(out) for _ in pair]
        return first, [[next(out) for cond in each if cond is not None] for each in wanted]

    def apart(
        self, pair: Sequence[Entries | None], parts: Sequence[Part], negative: Entries | None
    ) -> tuple[Sequence[Tensor], list[Sequence[Tensor]]]:
        """Return the denoised images of a pair, and of each concept and what is opposite to it.

        Args:
            pair: Prompt and negative prompt; empty where they are evaluated already.
            parts: The concepts.
            negative: What `beside` says.
        """
        first = self(pair) if pair else []
        return first, [self(part.conds(negative)) for part in parts]


def beside(negative: Entries | None, options: Options, patched: bool) -> Entries | None:
    """Return the negative prompt where each concept is to stand beside it, None where it is to be alone.

    Args:
        negative: The negative prompt, None where the run has none.
        options: The model's options at a call of the sampler.
        patched: What `is_patched` says of them.
    """
    pairs = bool(options.get(PAIRS, False)) or not _wrappers(options)
    return negative if patched and pairs else None


def guesses(options: Options) -> bool:
    """Whether a cache gives predictions of earlier steps in the place of some of a call."""
    return any("easycache" in found for found in _wrappers(options).values())


def is_patched(options: Options, patcher: Any, *, caches: bool = True) -> bool:
    """Whether anything on a model may count its conditionings, or remember them.

    Args:
        options: The model's options at a call of the sampler.
        patcher: The model's patcher.
        caches: Whether ComfyUI's caches are meant, too, which remember and do not count.
    """
    inner = options.get("transformer_options", {})
    objects = set(getattr(patcher, "object_patches", ())) - _HARMLESS
    functions = any(name in options for name in (BATCH, "model_function_wrapper"))
    trees = [*(inner.get(name) for name in _PATCHES), getattr(patcher, "injections", None)]
    wrapped = _wrappers(options, frozenset() if caches else _CACHES)
    return functions or bool(objects) or bool(wrapped) or any(map(_filled, trees))


def _wrappers(options: Options, besides: frozenset[str] = frozenset()) -> dict[Any, Any]:
    """Return the wrappers of others, by their kinds and keys, without those of some keys."""
    every: Mapping[str, Mapping[Any, Any]] = options.get("transformer_options", {}).get("wrappers", {})
    left = {*besides, KEY}
    kinds = {
        kind: {key: each for key, each in found.items() if key not in left and each} for kind, found in every.items()
    }
    return {kind: found for kind, found in kinds.items() if found}


def _filled(patches: Any) -> bool:
    """Whether a tree of patches has a leaf."""
    if isinstance(patches, dict):
        return any(map(_filled, patches.values()))
    return bool(patches)
