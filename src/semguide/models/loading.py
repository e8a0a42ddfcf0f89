"""From a name to a diffusers pipeline on a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument, SemguideError
from semguide.models.catalog import Source, resolve
from semguide.models.device import choose_device
from semguide.models.folder import check_class, check_folder, parse_index, variant

if TYPE_CHECKING:
    import torch


def load(name_or_path: str, device: str = "auto", dtype: torch.dtype | None = None) -> Any:
    """Load a checkpoint as the diffusers pipeline that it is.

    Only safetensors weights are read, and no code of the checkpoint's is run.

    Args:
        name_or_path: An embedded name, a diffusers folder or a hub id "owner/name" (downloaded once).
        device: "auto" (cuda, mps, cpu) or a device of this machine.
        dtype: The dtype of all weights; None: float32, also for fp16 files: half precision biases the similarities.

    Returns:
        The pipeline, on the device.

    Raises:
        InvalidArgument: Unknown name, not a diffusers checkpoint, or a device that is not there.
        UnsupportedPipeline: The pipeline class cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    source = resolve(name_or_path)
    if source.path is not None:
        check_folder(source.path)
    chosen = choose_device(device)
    path = fetch(source)
    import diffusers
    import torch

    pipeline_class = getattr(diffusers, check_folder(path))
    dtype = torch.float32 if dtype is None else dtype
    options = {"dtype": dtype, "use_safetensors": True, "local_files_only": True, "variant": variant(path)}
    return pipeline_class.from_pretrained(path, **options).to(chosen)


def fetch(source: Source) -> Path:
    """Return the folder of a source on this machine: a hub id is downloaded, once, to the hub's cache.

    Raises:
        UnsupportedPipeline: Its pipeline class cannot be steered; known before the weights are downloaded.
        SemguideError: The hub cannot be reached, or has no such model.
    """
    if source.path is not None:
        return source.path
    try:
        index = _download_index(source.name)
        check_class(parse_index(index, source.name), source.name)
        return _download(source.name)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidArgument):
            raise
        raise SemguideError(
            f"model {source.name!r} is neither in the local cache nor to be had from the Hugging Face hub "
            f"({type(error).__name__}); check name and network, or give a local diffusers folder"
        ) from error


def _download_index(name: str) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, "model_index.json"))


def _download(name: str) -> Path:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    return Path(DiffusionPipeline.download(name, use_safetensors=True))
