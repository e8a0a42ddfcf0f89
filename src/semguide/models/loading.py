"""Load a diffusers pipeline by name onto a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, SemguideError
from semguide.models.catalog import Source, resolve
from semguide.models.config_types import check_config_values
from semguide.models.derived import derived, read_component, shared_components
from semguide.models.device import choose_device
from semguide.models.folder import check_class, parse_index, read_index, variant
from semguide.models.loaded import fuse_lora, load_adapters, place, switch_scheduler
from semguide.models.option_checks import check_fit, check_machine
from semguide.models.options import LoadOptions
from semguide.models.single_file import missing_parts, open_checkpoint


def load(name_or_path: str, device: str = "auto", options: LoadOptions | None = None) -> Any:
    """Load a checkpoint as the diffusers pipeline that it is.

    Only safetensors weights are read, and no code of the checkpoint's is run.

    Args:
        name_or_path: An embedded name, a diffusers folder, a .safetensors file or a hub id "owner/name" (downloaded
            once).
        device: "auto" (cuda, mps, cpu) or a device of this machine.
        options: How; None: float32, all of it on the device.

    Returns:
        The pipeline, on the device unless it is offloaded.

    Raises:
        InvalidArgument: Unknown name, not a diffusers checkpoint, a device that is not there, or an option that does
            not go with these.
        UnsupportedPipeline: The pipeline class cannot be steered.
        MissingExtra: LoRAs need peft, which is not installed.
        SemguideError: The hub cannot be reached.
    """
    options = (options or LoadOptions()).resolved
    source = resolve(name_or_path)
    if source.path is not None:
        open_checkpoint(source.path, options.config)
    chosen = choose_device(device)
    check_machine(options, chosen)
    path = fetch(source, options.variant)
    configuration, pipeline_class = open_checkpoint(path, options.config)
    check_fit(options, path, configuration)
    own = derived(path)
    pipe = _read(path if own is None else own.folder, configuration, pipeline_class, options)
    if own is not None:
        if own.lora is not None:
            fuse_lora(pipe, own.lora)
        switch_scheduler(pipe, own.scheduler)
    load_adapters(pipe, options)
    switch_scheduler(pipe, options.scheduler)
    return place(pipe, options, chosen)


def _read(path: Path, configuration: Path, pipeline_class: str, options: LoadOptions) -> Any:
    """Read all weights to the CPU."""
    import diffusers
    import torch
    from safetensors import SafetensorError

    kind = getattr(diffusers, pipeline_class)
    given = {"dtype": getattr(torch, options.dtype), "local_files_only": True}
    check_config_values(configuration)
    if path.is_dir():
        given["variant"] = options.variant or variant(path)
        try:
            index = read_index(path)
            shared = {name: index[name] for name in shared_components(path)}
            return kind.from_pretrained(path, use_safetensors=True, **_components(path, shared, given), **given)
        except (*_BROKEN, SafetensorError) as error:
            rule = f"must be a whole checkpoint that {pipeline_class} reads ({_one_line(error)})"
            raise InvalidArgument("model", rule, path, "copy or download it again") from error
    if not hasattr(kind, "from_single_file"):
        rule = f"must be a diffusers folder, as {pipeline_class} reads no single file"
        raise InvalidArgument("model", rule, path, "give the folder that save_pretrained wrote")
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    try:
        missing = missing_parts(path, configuration)
        parts = _components(configuration, missing, {**given, "variant": variant(configuration)})
        return kind.from_single_file(str(path), config=str(configuration), **parts, **given)
    except (OSError, ValueError, KeyError, RuntimeError, SingleFileComponentError) as error:
        rule = f"must be a whole checkpoint that {pipeline_class} reads ({_one_line(error)})"
        remedy = "name the configuration of its own family with {config}, or give a diffusers folder"
        raise InvalidArgument("model", rule, path, remedy) from error


def _components(folder: Path, classes: Mapping[str, Sequence[str]], given: dict[str, Any]) -> dict[str, Any]:
    """Read some components of a diffusers folder, of which `classes` names library and class."""
    return {
        name: read_component(folder, name, getattr(import_module(library), kind), use_safetensors=True, **given)
        for name, (library, kind) in classes.items()
    }


_BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError)
"""What diffusers and transformers raise over a file that is missing, cut short or of wrong content."""


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def fetch(source: Source, wanted: str | None = None) -> Path:
    """Return the folder or file of a source on this machine: a hub id is downloaded, once, to the hub's cache.

    Args:
        source: The source.
        wanted: `LoadOptions.variant`.

    Raises:
        UnsupportedPipeline: Its pipeline class cannot be steered; known before the weights are downloaded.
        SemguideError: The hub cannot be reached, or has no such model or variant.
    """
    if source.path is not None:
        return source.path
    try:
        index = _download_index(source.name)
        check_class(parse_index(index, source.name), source.name)
        return _download(source.name, wanted)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidArgument):
            raise
        what = repr(source.name) + ("" if wanted is None else f" (variant {wanted})")
        raise SemguideError(
            f"model {what} is neither in the local cache nor to be had from the Hugging Face hub "
            f"({type(error).__name__}); check name and network, or give a local diffusers folder"
        ) from error


def _download_index(name: str) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, "model_index.json"))


def _download(name: str, wanted: str | None) -> Path:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    return Path(DiffusionPipeline.download(name, use_safetensors=True, variant=wanted))
