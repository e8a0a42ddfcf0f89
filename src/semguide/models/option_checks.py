"""Which load options go together with a device and a checkpoint; checked before anything is loaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, MissingExtra
from semguide.models.derived import derived
from semguide.models.folder import components, read_index, variants
from semguide.models.options import LoadOptions
from semguide.models.single_file import read_header

FEW_STEPS = {
    "DDIMScheduler": ("LCMScheduler", "TCDScheduler"),
    "FlowMatchEulerDiscreteScheduler": ("FlowMatchLCMScheduler",),
}
"""Schedulers of distilled checkpoints, which diffusers does not list among those that go with the one they replace."""
TILES_ONLY = frozenset({"AutoencoderKLAllegro"})
"""Autoencoders whose decoding without tiles diffusers has not implemented."""


def check_machine(options: LoadOptions, device: str) -> None:
    """Check what does not depend on the checkpoint.

    Args:
        options: The options.
        device: The torch device.

    Raises:
        InvalidArgument: An option does not go with the device, or a file is missing or no safetensors.
    """
    on_cpu = device.partition(":")[0] == "cpu"
    if on_cpu and options.dtype == "float16":
        rule = "must not be float16 on the CPU, which computes it slowly and in part not at all"
        raise InvalidArgument("dtype", rule, options.dtype, "use bfloat16 or float32")
    if on_cpu and options.offload in ("model", "sequential"):
        raise InvalidArgument(
            "offload",
            "must be none or group where there is no accelerator to load to",
            options.offload,
            "leave it out, or name an accelerator with {device}",
        )
    for lora in options.loras:
        read_header(Path(lora.path), "loras")
    for path in options.embeddings:
        read_header(Path(path), "embeddings")


def check_fit(options: LoadOptions, path: Path, configuration: Path) -> None:
    """Check what depends on the checkpoint. Imports diffusers where an option needs it.

    Args:
        options: The options.
        path: The checkpoint: a diffusers folder or a .safetensors file.
        configuration: Folder of its JSON files; of a folder itself, or its base.

    Raises:
        InvalidArgument: An option does not go with the checkpoint.
        MissingExtra: LoRAs need peft, which is not installed.
    """
    if path.is_dir() and options.config is not None:
        rule = "must be left out for a folder, which has its own configuration"
        raise InvalidArgument("config", rule, options.config, "leave it out, or name a .safetensors file as {model}")
    if options.variant is not None:
        _check_variant(options.variant, path if path.is_file() else configuration)
    own = derived(path)
    if (options.loras or (own is not None and own.lora is not None)) and find_spec("peft") is None:
        raise MissingExtra("loras" if options.loras else path.name, "lora")
    index = read_index(configuration)
    if options.loras:
        _check_ability(index, "loras", "load_lora_weights", "loads no LoRA")
    if options.embeddings:
        _check_ability(index, "embeddings", "load_textual_inversion", "loads no textual inversion")
    _check_tiling(options.vae_tiling, index)
    if options.scheduler is not None:
        _check_scheduler(options.scheduler, own_scheduler(path, configuration))


def _check_tiling(tiling: bool, index: dict[str, Any]) -> None:
    if tiling and not hasattr(_component_class(index, "vae"), "enable_tiling"):
        raise InvalidArgument(
            "vae_tiling", "must be off for a checkpoint whose VAE decodes no tiles", True, "leave it out"
        )
    if not tiling and (name := _class_name(index, "vae")) in TILES_ONLY:
        raise InvalidArgument("vae_tiling", f"must be on for {name}, which decodes tiles only", False, "turn it on")


def _check_variant(variant: str, path: Path) -> None:
    if path.is_file():
        rule = "must be left out for a single file"
        raise InvalidArgument("variant", rule, variant, "name the file of that variant as {model}")
    there = variants(path)
    if variant not in there:
        rule = f"must be one that the checkpoint has ({', '.join(sorted(there)) or 'it has none'})"
        raise InvalidArgument("variant", rule, variant, "leave it out for the weights without one")


def _check_ability(index: dict[str, Any], argument: str, method: str, what: str) -> None:
    import diffusers

    name = str(index.get("_class_name"))
    if not hasattr(getattr(diffusers, name), method):
        raise InvalidArgument(argument, f"must be left out, as {name} {what}", remedy="choose another {model}")


def _component_class(index: dict[str, Any], name: str) -> Any:
    """Return the class of a component in diffusers; None if it has none there."""
    found = _class_name(index, name)
    if found is None:
        return None
    import diffusers

    return getattr(diffusers, found, None)


def _class_name(index: dict[str, Any], name: str) -> str | None:
    return str(index[name][1]) if name in components(index) else None


def own_scheduler(path: Path, configuration: Path) -> str:
    """Return the class of a checkpoint's scheduler, "" where it has none.

    Args:
        path: The checkpoint.
        configuration: Folder of its JSON files.
    """
    own = derived(path)
    return (own.scheduler if own is not None else None) or _class_name(read_index(configuration), "scheduler") or ""


def scheduler_names(own: str) -> list[str]:
    """Return the schedulers of diffusers that go with a checkpoint's own.

    Args:
        own: Its class; "": none goes.
    """
    import diffusers

    family = next((first for first, others in FEW_STEPS.items() if own in others), own)
    kind = getattr(diffusers, family, None)
    found = kind._get_compatibles() if kind is not None else []
    names = {kind.__name__ for kind in found if "_backends" not in vars(kind)}  # else of a package that is missing
    for first, others in FEW_STEPS.items():
        if first in (family, *names):
            names |= {first, *others}
    return sorted(names)


def _check_scheduler(name: str, own: str) -> None:
    known = scheduler_names(own)
    if name not in known:
        raise InvalidArgument(
            "scheduler",
            f"must be a scheduler of diffusers that goes with the checkpoint's own ({', '.join(known) or 'none does'})",
            name,
            "choose one of these, or leave it out",
        )
