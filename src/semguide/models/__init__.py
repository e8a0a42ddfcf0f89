"""Models: from a name (embedded checkpoint, local folder, hub id) to a diffusers pipeline; imports torch lazily."""

from semguide.models.catalog import EmbeddedModel, Source, SourceKind, default_model, embedded, resolve
from semguide.models.classes import STEERABLE, TEXT_TO_IMAGE, TEXT_TO_VIDEO, VIDEOS, VideoDefaults
from semguide.models.describe import ModelDescription, call_defaults, describe
from semguide.models.device import choose_device, devices
from semguide.models.fingerprint import fingerprint
from semguide.models.folder import check_folder
from semguide.models.loading import fetch, load
from semguide.models.option_checks import check_fit, check_machine, own_scheduler, scheduler_names
from semguide.models.options import LoadOptions, Lora, parse_lora

__all__ = [
    "STEERABLE",
    "TEXT_TO_IMAGE",
    "TEXT_TO_VIDEO",
    "VIDEOS",
    "EmbeddedModel",
    "LoadOptions",
    "Lora",
    "ModelDescription",
    "Source",
    "SourceKind",
    "VideoDefaults",
    "call_defaults",
    "check_fit",
    "check_folder",
    "check_machine",
    "choose_device",
    "default_model",
    "describe",
    "devices",
    "embedded",
    "fetch",
    "fingerprint",
    "load",
    "own_scheduler",
    "parse_lora",
    "resolve",
    "scheduler_names",
]
