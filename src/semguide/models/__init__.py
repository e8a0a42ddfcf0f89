"""Models: from a name (embedded checkpoint, local folder, hub id) to a diffusers pipeline; imports torch lazily."""

from semguide.models.catalog import EmbeddedModel, Source, SourceKind, default_model, embedded, resolve
from semguide.models.describe import ModelDescription, call_defaults, describe
from semguide.models.device import choose_device, devices
from semguide.models.fingerprint import fingerprint
from semguide.models.folder import STEERABLE, check_folder
from semguide.models.loading import fetch, load

__all__ = [
    "STEERABLE",
    "EmbeddedModel",
    "ModelDescription",
    "Source",
    "SourceKind",
    "call_defaults",
    "check_folder",
    "choose_device",
    "default_model",
    "describe",
    "devices",
    "embedded",
    "fetch",
    "fingerprint",
    "load",
    "resolve",
]
