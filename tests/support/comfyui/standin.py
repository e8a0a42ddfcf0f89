"""What the nodes use of ComfyUI, written from its documentation and behaviour, with a model that is a formula.

`install` puts it in the place of ComfyUI; `Model` is smooth in x and in its conditioning, and counts its calls.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

Options = dict[str, Any]
CHANNELS, SIZE, FIRST = 4, 6, 10.0


class _Sampling:
    """The schedule of ComfyUI's models, from `FIRST` to 0."""

    def percent_to_sigma(self, percent: float) -> float:
        return FIRST * (1 - percent)


class Eps(_Sampling):
    """x = x0 + sigma n."""

    def noise_scaling(self, sigma: Tensor, noise: Tensor, image: Tensor) -> Tensor:
        return noise * sigma + image

    def denoised(self, x: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
        return x - sigma * eps


class Flow(_Sampling):
    """x = (1 - sigma) x0 + sigma n."""

    def noise_scaling(self, sigma: Tensor, noise: Tensor, image: Tensor) -> Tensor:
        return sigma * noise + (1.0 - sigma) * image

    def denoised(self, x: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
        return (x - sigma * eps) / (1 - sigma)


class Model:
    """A denoiser in closed form."""

    def __init__(self, sampling: Any = None) -> None:
        self.model_sampling = sampling or Eps()
        self.calls: list[tuple[float, int]] = []
        self.sizes: list[tuple[int, int]] = []
        """Height and width of what was evaluated."""

    def eps(self, x: Tensor, sigma: float, embedding: Tensor) -> Tensor:
        shape = (1, CHANNELS, 1, 1)
        gain, shift = embedding[:CHANNELS].reshape(shape), embedding[CHANNELS:].reshape(shape)
        return torch.tanh(gain * x / (1 + sigma) + shift) + 0.1 * torch.sin(x.roll(1, dims=-1) * shift)

    def extra_conds(self, **told: Any) -> dict[str, Any]:
        return {"c_crossattn": told["cross_attn"], "c_concat": None}

    def denoised(self, x: Tensor, sigma: Tensor, embedding: Tensor) -> Tensor:
        return self.model_sampling.denoised(x, sigma, self.eps(x, float(sigma), embedding))


class Patcher:
    """What MODEL is."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model or Model()
        self.model_options: Options = {}
        self.wrappers: dict[str, dict[str, list[Callable[..., Any]]]] = {}

    def clone(self) -> Patcher:
        other = Patcher(self.model)
        other.wrappers = {kind: {key: list(each) for key, each in keys.items()} for kind, keys in self.wrappers.items()}
        other.model_options = {
            name: list(value) if isinstance(value, list) else value for name, value in self.model_options.items()
        }
        return other

    def set_model_sampler_post_cfg_function(self, function: Callable[[Any], Tensor]) -> None:
        self.model_options.setdefault("sampler_post_cfg_function", []).append(function)

    def add_wrapper_with_key(self, kind: str, key: str, wrapper: Callable[..., Any]) -> None:
        self.wrappers.setdefault(kind, {}).setdefault(key, []).append(wrapper)


class CFGGuider:
    def __init__(self, model_patcher: Patcher) -> None:
        self.model_patcher = model_patcher
        self.model_options = model_patcher.model_options
        self.original_conds: dict[str, Any] = {}
        self.cfg = 1.0

    def set_conds(self, positive: Any, negative: Any) -> None:
        self.inner_set_conds({"positive": positive, "negative": negative})

    def set_cfg(self, cfg: float) -> None:
        self.cfg = cfg

    def inner_set_conds(self, conds: dict[str, Any]) -> None:
        for key, cond in conds.items():
            self.original_conds[key] = [{**options, "cross_attn": embedding} for embedding, options in cond]

    def __call__(self, x: Tensor, sigma: Tensor, model_options: Options, seed: Any = None) -> Tensor:
        return self.predict_noise(x, sigma, model_options, seed)

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: Options = {}, seed: Any = None) -> Tensor:  # noqa: B006
        conds = [self.conds["positive"], self.conds["negative"]]
        call = {"input": x, "sigma": timestep, "model": self.inner_model, "model_options": model_options}
        if "sampler_calc_cond_batch_function" in model_options:
            out = model_options["sampler_calc_cond_batch_function"]({"conds": conds, **call})
        else:
            out = calc_cond_batch(self.inner_model, conds, x, timestep, model_options)
        for function in model_options.get("sampler_pre_cfg_function", []):
            out = function({"conds": conds, "conds_out": out, "cond_scale": self.cfg, "timestep": timestep, **call})
        rest = {"model_options": model_options, "cond": conds[0], "uncond": conds[1]}
        return cfg_function(self.inner_model, out[0], out[1], self.cfg, x, timestep, **rest)

    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Callable[..., Tensor],
        sigmas: Tensor,
        denoise_mask: Any = None,
        callback: Any = None,
        disable_pbar: bool = False,
        seed: Any = None,
    ) -> Tensor:
        del denoise_mask, callback, disable_pbar
        run = self._run
        for wrapper in reversed(
            [each for keys in self.model_patcher.wrappers.get("outer_sample", {}).values() for each in keys]
        ):
            run = partial(wrapper, run)
        return run(noise, latent_image, sampler, sigmas, seed)

    def _run(
        self, noise: Tensor, latent_image: Tensor, sampler: Callable[..., Tensor], sigmas: Tensor, seed: Any
    ) -> Tensor:
        self.inner_model = self.model_patcher.model
        self.loaded_models = [self.model_patcher]
        self.conds = {key: [dict(entry) for entry in cond] for key, cond in self.original_conds.items()}
        process_conds(self.inner_model, noise, self.conds)
        patches = self.model_options.get("transformer_options", {})
        wrappers = {**patches.get("wrappers", {}), **self.model_patcher.wrappers}
        patches = {**patches, "sample_sigmas": sigmas, **({"wrappers": wrappers} if wrappers else {})}
        options = {**self.model_options, "transformer_options": patches}
        x = self.inner_model.model_sampling.noise_scaling(sigmas[0], noise, latent_image)
        return sampler(lambda x, sigma: self(x, sigma, options, seed), x, sigmas)


def process_conds(model: Model, noise: Tensor, conds: dict[str, list[Options]]) -> None:
    """Place areas and masks and ranges; each area of one conditioning is given to all others too, as ComfyUI does."""
    for entries in conds.values():
        resolve_areas_and_cond_masks_multidim(entries, noise.shape[2:], noise.device)
        calculate_start_end_timesteps(model, entries)
    areas = {name: [entry["area"] for entry in entries if "area" in entry] for name, entries in conds.items()}
    for name, found in areas.items():
        for other, entries in conds.items():
            if other != name:
                entries += [{**entries[0], "area": area} for area in found]


def resolve_areas_and_cond_masks_multidim(entries: list[Options], dims: Any, device: Any) -> None:
    """Put areas and masks into places of latents, in new entries."""
    for number, entry in enumerate(entries):
        new = dict(entry)
        if "area" in entry and entry["area"][0] == "percentage":
            parts = entry["area"][1:]
            new["area"] = tuple(round(part * size) for part, size in zip(parts, (*dims, *dims), strict=True))
        if "mask" in entry:
            mask = entry["mask"].to(device)
            mask = mask if mask.ndim == 3 else mask.unsqueeze(0)
            new["mask"] = torch.nn.functional.interpolate(mask.unsqueeze(1), tuple(dims)).squeeze(1)
            if entry.get("set_area_to_bounds"):
                _, rows, columns = torch.where(new["mask"] != 0)
                corner = (int(rows.min()), int(columns.min()))
                new["area"] = (int(rows.max()) + 1 - corner[0], int(columns.max()) + 1 - corner[1], *corner)
        entries[number] = new


def calculate_start_end_timesteps(model: Model, entries: list[Options]) -> None:
    """Put ranges of a run into sigmas, in new entries."""
    for number, entry in enumerate(entries):
        found = {
            f"timestep_{end}": model.model_sampling.percent_to_sigma(entry[f"{end}_percent"])
            for end in ("start", "end")
            if f"{end}_percent" in entry
        }
        entries[number] = {**entry, **found}


def calc_cond_batch(model: Model, conds: list[Any], x: Tensor, timestep: Tensor, options: Options) -> list[Tensor]:
    """Evaluate every entry in its area and range, and average by their masks; where none is, the image is 0."""
    places = [place for place, cond in enumerate(conds) if cond is not None]
    model.calls.append((float(timestep[0]), len(places)))
    for patch in options.get("transformer_options", {}).get("patches", {}).get("attn2_patch", []):
        patch({"cond_or_uncond": places})
    outs: list[Tensor] = []
    for cond in conds:
        images, counts = torch.zeros_like(x), torch.full_like(x, 1e-37)
        for entry in cond or []:
            if not entry.get("timestep_end", 0.0) <= float(timestep[0]) <= entry.get("timestep_start", float("inf")):
                continue
            height, width, top, left = entry.get("area", (*x.shape[2:], 0, 0))
            cut = (..., slice(top, top + height), slice(left, left + width))
            found = model.denoised(x[cut], timestep[0], entry["cross_attn"])
            model.sizes.append((height, width))
            share = torch.ones_like(found)
            if "mask" in entry:
                share = entry["mask"].unsqueeze(1)[cut] * share
            images[cut] += found * share
            counts[cut] += share
        outs.append(images / counts)
    return outs


def convert_cond(cond: Any) -> list[Options]:
    return [{**options, "cross_attn": embedding, "model_conds": {}, "uuid": object()} for embedding, options in cond]


def cleanup_models(conds: Any, models: Any) -> None:
    """End the use of what a run loaded."""
    assert set(conds) >= {"positive", "negative"}
    assert models


def encode_model_conds(
    function: Callable[..., Options], conds: list[Options], noise: Tensor, device: Any, kind: str
) -> list[Options]:
    told = {"noise": noise, "device": device, "prompt_type": kind}
    return [{**cond, "model_conds": {**cond["model_conds"], **function(**cond, **told)}} for cond in conds]


def cfg_function(
    model: Any,
    cond_pred: Tensor,
    uncond_pred: Tensor,
    cond_scale: float,
    x: Tensor,
    timestep: Tensor,
    model_options: Options = {},  # noqa: B006
    cond: Any = None,
    uncond: Any = None,
) -> Tensor:
    call = {"input": x, "sigma": timestep, "model": model, "model_options": model_options, "cond_scale": cond_scale}
    images = {"cond_denoised": cond_pred, "uncond_denoised": uncond_pred}
    if "sampler_cfg_function" in model_options:
        eps = {"cond": x - cond_pred, "uncond": x - uncond_pred}
        denoised = x - model_options["sampler_cfg_function"]({**call, **images, **eps})
    else:
        denoised = uncond_pred + (cond_pred - uncond_pred) * cond_scale
    for function in model_options.get("sampler_post_cfg_function", []):
        denoised = function({**call, **images, "denoised": denoised, "cond": cond, "uncond": uncond})
    return denoised


def euler(model: Callable[..., Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
    """Sample with one call a step."""
    for sigma, following in pairwise(sigmas):
        x = x + (x - model(x, sigma.expand(len(x)))) / sigma * (following - sigma)
    return x


def heun(model: Callable[..., Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
    """Sample with two calls a step, but for the last one: the second at the sigma of the next step."""
    for sigma, following in pairwise(sigmas):
        slope = (x - model(x, sigma.expand(len(x)))) / sigma
        ahead = x + slope * (following - sigma)
        if following > 0:
            slope = (slope + (ahead - model(ahead, following.expand(len(x)))) / following) / 2
        x = x + slope * (following - sigma)
    return x


class Clip:
    """What CLIP is: a text becomes a random embedding of its own."""

    def tokenize(self, text: str) -> str:
        return text

    def encode_from_tokens_scheduled(self, tokens: str) -> Any:
        return conditioning(tokens)


class TwoClips:
    """What CLIP is where two encoders read a text: SDXL's or Flux's. A chunk of tokens is three letters.

    Attributes:
        parts: Their names.
        encoded: The tokens and options of each conditioning.
    """

    def __init__(self, *parts: str) -> None:
        self.parts = parts
        self.encoded: list[tuple[Any, Any]] = []

    def tokenize(self, text: str) -> dict[str, list[str]]:
        chunks = [text[start : start + 3] for start in range(0, len(text), 3)] or [""]
        return {part: list(chunks) for part in self.parts}

    def encode_from_tokens_scheduled(self, tokens: Any, add_dict: Any) -> Any:
        self.encoded.append((tokens, add_dict))
        return conditioning("|".join("".join(chunks) for chunks in tokens.values()), **add_dict)


def conditioning(text: str, **options: Any) -> Any:
    """Return the CONDITIONING of a text."""
    generator = torch.Generator().manual_seed(sum(ord(letter) * (i + 1) for i, letter in enumerate(text)))
    embedding = torch.randn(2 * CHANNELS, generator=generator, dtype=torch.float64)
    return [[embedding, {"pooled_output": embedding[:1], **options}]]


def noise(images: int, seed: int = 0) -> Tensor:
    """Return noise, one image after the other."""
    shape = (images, CHANNELS, SIZE, SIZE)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def schedule(steps: int = 8, first: float = 10.0) -> Tensor:
    """Return falling sigmas that end at 0."""
    return torch.cat([torch.linspace(first, first / 20, steps, dtype=torch.float64), torch.zeros(1)])


def install(patch: pytest.MonkeyPatch) -> types.ModuleType:
    """Put the stand-in in the place of ComfyUI, and let what has imported it do so anew."""
    package, samplers = types.ModuleType("comfy"), types.ModuleType("comfy.samplers")
    vars(samplers).update(CFGGuider=CFGGuider, calc_cond_batch=calc_cond_batch, cfg_function=cfg_function)
    vars(samplers).update(encode_model_conds=encode_model_conds)
    vars(samplers).update(resolve_areas_and_cond_masks_multidim=resolve_areas_and_cond_masks_multidim)
    vars(samplers).update(calculate_start_end_timesteps=calculate_start_end_timesteps)
    helpers = types.ModuleType("comfy.sampler_helpers")
    vars(helpers).update(convert_cond=convert_cond, cleanup_models=cleanup_models)
    patch.setitem(sys.modules, "comfy.sampler_helpers", helpers)
    vars(package).update(samplers=samplers, sampler_helpers=helpers, __path__=[])
    patch.setitem(sys.modules, "comfy", package)
    patch.setitem(sys.modules, "comfy.samplers", samplers)
    forget(patch)
    return samplers


def forget(patch: pytest.MonkeyPatch) -> None:
    """Have guider and patch import their ComfyUI anew, now and after the test."""
    for name in ("guider", "model_patch", "evaluation", "regions", "attempt", "retries"):
        patch.setitem(sys.modules, f"semguide.adapters.hosts.comfyui.{name}", types.ModuleType("placeholder"))
        del sys.modules[f"semguide.adapters.hosts.comfyui.{name}"]
