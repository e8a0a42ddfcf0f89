"""Checkpoints of one .safetensors file: what its header says, and the folder with its configuration."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from semguide.errors import MISSING, InvalidArgument
from semguide.files import parse_json
from semguide.models.derived import derived, shared_components, weight_files
from semguide.models.folder import check_class, check_folder, read_index

SUFFIX = ".safetensors"
SINGLE_FILE_KINDS = ("v1", "v2", "xl_base", "sd3", "sd35_medium", "sd35_large", "flux-dev", "flux-schnell")
"""Kinds of checkpoints, as diffusers calls them, whose configuration is looked for in the hub's cache."""
_T5 = ("text_encoders.t5xxl.",)
_HELD = {
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g."),
    "text_encoder_3": _T5,
}
"""How the names of a part's tensors begin in a single file."""
_LONGEST_HEADER = 100_000_000
_CONFIGURATION = ("*.json", "*/*.json", "*/*.txt", "*/*.model")


def read_header(file: Path, argument: str) -> dict[str, Any]:
    """Read the header of a .safetensors file: an object with dtype and shape by the name of the tensor.

    Args:
        file: The file.
        argument: The argument that names it, for the message.

    Raises:
        InvalidArgument: It is missing, or not such a file.
    """
    if not file.is_file():
        raise InvalidArgument(argument, "must be a .safetensors file that is there", file, "check the path")
    try:
        with file.open("rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = parse_json(stream.read(size)) if size <= _LONGEST_HEADER else None
    except (OSError, ValueError, struct.error):
        header = None
    if file.suffix != SUFFIX or not isinstance(header, dict):
        raise InvalidArgument(argument, "must be a .safetensors file", file, "save or download it in that format")
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    broken = next((name for name, entry in tensors.items() if not _is_tensor(entry)), None)
    if broken is not None:
        rule = f"must be a .safetensors file with dtype and shape of each tensor (not of {broken!r})"
        raise InvalidArgument(argument, rule, file, "save or download it again")
    return tensors


def _is_tensor(entry: Any) -> bool:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    return isinstance(shape, list) and all(type(side) is int for side in shape)


def open_checkpoint(path: Path, config: str | None) -> tuple[Path, str]:
    """Check a checkpoint on this machine.

    Args:
        path: A diffusers folder or a .safetensors file.
        config: `LoadOptions.config`.

    Returns:
        The folder with its JSON files (of a derived checkpoint, its base), and its pipeline class.

    Raises:
        InvalidArgument: It is no checkpoint, or a single file without a configuration.
        UnsupportedPipeline: Its pipeline class cannot be steered.
    """
    if path.is_dir():
        own = derived(path)
        folder = path if own is None else own.folder
        return folder, check_folder(folder, shared_components(folder))
    configuration = find_configuration(path, config)
    return configuration, check_class(read_index(configuration), str(configuration))


def find_configuration(file: Path, config: str | None) -> Path:
    """Return the folder with the configuration of a single-file checkpoint. May import diffusers.

    Args:
        file: The checkpoint.
        config: A diffusers folder, of which no weights are needed; None: that of the hub's cache.

    Raises:
        InvalidArgument: The file is no checkpoint, or there is no configuration of it.
    """
    header = read_header(file, "model")
    if any("lora" in name for name in header):
        raise InvalidArgument("model", "must be a whole checkpoint, not a LoRA", file, "give it as {loras}")
    if config is not None:
        folder = Path(config).expanduser()
        if not (folder / "model_index.json").is_file():
            rule = "must be a diffusers folder, with a model_index.json"
            raise InvalidArgument("config", rule, config, "name the folder of a checkpoint of the same family")
        return folder.resolve()
    kind, repository = _infer(header)
    if kind not in SINGLE_FILE_KINDS:
        rule = "must be given for a single file that is not of Stable Diffusion 1, 2, XL, 3 or Flux"
        raise InvalidArgument("config", rule, MISSING, "name a diffusers folder of the same family")
    return _cached(repository)


def missing_parts(file: Path, configuration: Path) -> dict[str, tuple[str, str]]:
    """Return the parts that a single file does not hold and its configuration has the weights of: library and class.

    Files of Flux and Stable Diffusion 3 often hold the transformer alone.

    Args:
        file: The checkpoint.
        configuration: The diffusers folder with its configuration.
    """
    names, index = [*read_header(file, "model")], read_index(configuration)
    found: dict[str, tuple[str, str]] = {}
    for part, held in _HELD.items():
        library, kind = map(str, index.get(part) or ("", ""))
        prefixes = _T5 if "T5" in kind else held
        in_file = any(name.startswith(prefixes) for name in names)
        if not in_file and weight_files(configuration, part):
            found[part] = (library, kind)
    return found


def _infer(header: dict[str, Any]) -> tuple[str, str]:
    """Return the kind of a checkpoint and the hub id of its configuration, as diffusers tells them by its tensors."""
    from diffusers.loaders.single_file_utils import DIFFUSERS_DEFAULT_PIPELINE_PATHS, infer_diffusers_model_type

    shapes = {name: SimpleNamespace(shape=entry["shape"]) for name, entry in header.items()}
    kind = str(infer_diffusers_model_type(shapes))
    if kind == "v1" and not any(name.startswith("model.diffusion_model.") for name in header):
        return "", ""  # what diffusers says of anything that it does not know
    return kind, DIFFUSERS_DEFAULT_PIPELINE_PATHS[kind]["pretrained_model_name_or_path"]


def _cached(repository: str) -> Path:
    """Return the folder of a hub id in the hub's cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = Path(snapshot_download(repository, local_files_only=True, allow_patterns=list(_CONFIGURATION)))
    except LocalEntryNotFoundError:
        found = None
    if found is None or not (found / "model_index.json").is_file():
        patterns = " ".join(f"--include '{pattern}'" for pattern in _CONFIGURATION)
        raise InvalidArgument(
            "config",
            f"must be given, as the configuration of {repository} is not in the hub's cache",
            MISSING,
            f"name a diffusers folder of that family, or fetch it once: hf download {repository} {patterns}",
        )
    return found
