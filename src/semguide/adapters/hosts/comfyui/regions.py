"""Where and when a concept applies: areas, masks and ranges of steps. Imports ComfyUI, as the guider does.

Outside of them a concept is not evaluated, and there is nothing to compare: its prediction is the unconditional one.
In an area ComfyUI evaluates a cut-out, whose surroundings the model does not see; so that nothing but the text differs,
the negative prompt is evaluated on the same cut-out, and the difference of the two is what counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.comfyui.conditioning import Conditioning

_samplers: Any = import_module("comfy.samplers")
Entries = list[dict[str, Any]]
_AREA, _KEPT = ("area", "set_area_to_bounds"), "semguide_area"


@dataclass(frozen=True)
class Part:
    """A concept at a call of the sampler.

    Attributes:
        number: Which concept it is.
        entries: What to evaluate.
        opposite: The negative prompt in the areas of the entries; None where they have none.
        places: Where it applies, "image 1 *dims"; None: everywhere.
    """

    number: int
    entries: Entries
    opposite: Entries | None = None
    places: Tensor | None = None

    @property
    def confined(self) -> bool:
        """Whether something must stand for it in some places: where it does not apply, or is cut out of the picture."""
        return self.places is not None or self.opposite is not None

    def conds(self, negative: Entries | None = None) -> list[Entries | None]:
        """Return what ComfyUI is to evaluate for the concept: a pair, whose second is None as at a cfg of 1.

        Args:
            negative: The negative prompt, where it is to stand beside the concept.
        """
        return [self.entries, self.opposite or negative]

    def image(self, found: Sequence[Tensor], uncond: Tensor) -> Tensor:
        """Return the concept's denoised image.

        Args:
            found: The denoised images of `entries` and `opposite`.
            uncond: D(0).
        """
        image = found[0] if self.opposite is None else uncond + found[0] - found[1]
        return image if self.places is None else torch.where(self.places, image, uncond)


def with_areas_aside(concept: Conditioning) -> Conditioning:
    """Return a concept whose areas are put aside: ComfyUI would give prompt and negative prompt a part in each."""
    return [
        [embedding, _aside(options) if any(key in options for key in _AREA) else options]
        for embedding, options in concept
    ]


def own_entries(concept: Entries) -> Entries:
    """Return the entries of a concept without those that ComfyUI added for areas of the prompts."""
    return [entry for entry in concept if "area" not in entry]


def is_confined(concept: Entries) -> bool:
    """Whether a concept applies to some places or steps only."""
    return any(name in entry for entry in concept for name in (_KEPT, "mask", "start_percent", "end_percent"))


def parts_at(concepts: Sequence[Entries], negative: Entries | None, x: Tensor, sigma: Tensor) -> list[Part]:
    """Return the concepts that there are at a call.

    Args:
        concepts: Their entries, with ranges as sigmas.
        negative: The entries of the negative prompt.
        x: The noisy latents, "image channel *dims".
        sigma: The noise level, (image,).
    """
    level, found = float(sigma[0]), []
    for number, concept in enumerate(concepts):
        entries = [entry for entry in _placed(concept, x) if _in_range(entry, level) and _anywhere(entry)]
        if entries:
            opposite = _opposite(negative or [], entries) if any("area" in entry for entry in entries) else None
            found.append(Part(number, entries, opposite, _places(entries, x)))
    return found


def _aside(options: dict[str, Any]) -> dict[str, Any]:
    kept = {key: options[key] for key in _AREA if key in options}
    return {**{key: value for key, value in options.items() if key not in _AREA}, _KEPT: kept}


def _placed(concept: Entries, x: Tensor) -> Entries:
    """Return the entries with areas and masks in places of the latents."""
    entries = [{**entry, **entry.get(_KEPT, {})} for entry in concept]
    if any(key in entry for entry in entries for key in (*_AREA, "mask")):
        _samplers.resolve_areas_and_cond_masks_multidim(entries, x.shape[2:], x.device)
    return entries


def _in_range(entry: dict[str, Any], sigma: float) -> bool:
    return float(entry.get("timestep_end", -math.inf)) <= sigma <= float(entry.get("timestep_start", math.inf))


def _anywhere(entry: dict[str, Any]) -> bool:
    return "mask" not in entry or bool(entry["mask"].any())


def _opposite(negative: Entries, entries: Entries) -> Entries:
    """Return the negative prompt in each area that there is among entries, and everywhere where one has none."""
    whole = [entry for entry in negative if "area" not in entry] or negative
    areas = dict.fromkeys(tuple(entry["area"]) if "area" in entry else None for entry in entries)
    return [{**entry, "area": area} if area else entry for area in areas for entry in whole]


def _places(entries: Entries, x: Tensor) -> Tensor | None:
    """Return where some entry applies; None: everywhere."""
    if any("area" not in entry and "mask" not in entry for entry in entries):
        return None
    places = torch.zeros_like(x[:, :1], dtype=torch.bool)
    for entry in entries:
        inside = torch.ones_like(places)
        if "mask" in entry:
            mask = entry["mask"] != 0
            inside = mask[torch.arange(len(x), device=mask.device) % len(mask)].unsqueeze(1)
        cut = _cut(entry.get("area"), x.ndim - 2)
        places[cut] |= inside[cut]
    return places


def _cut(area: Sequence[int] | None, dims: int) -> tuple[slice, ...]:
    """Return the slices of an area, whose sizes come before its corners; of more dimensions the last ones are meant."""
    if area is None:
        return (slice(None),) * (dims + 2)
    half = len(area) // 2
    cuts = [slice(corner, corner + size) for size, corner in zip(area[:half], area[half:], strict=True)]
    return (slice(None),) * (dims + 2 - half) + tuple(cuts)
