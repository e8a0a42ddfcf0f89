"""Models of a server: loaded once per device, known to clients by a public name and never by a path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models import ModelDescription, SourceKind, load
from semguide.runs.environment import Environment, current_environment
from semguide.runs.request import find_model


@dataclass(frozen=True)
class ServedModel:
    """A model that clients can request.

    Attributes:
        id: Public name: embedded name, hub id, or the last part of the folder's path.
        description: Defaults and ranges of the model.
        environment: Checkpoint hash, versions, dtype and processor.
        created: Unix time in seconds at which it was loaded.
    """

    id: str
    description: ModelDescription
    environment: Environment
    created: int


@dataclass(frozen=True)
class Worker:
    """A device and its pipelines.

    Attributes:
        device: torch device.
        pipelines: Pipeline by public name of the model.
    """

    device: str
    pipelines: dict[str, Any]


def find_models(names: Sequence[str]) -> dict[str, ServedModel]:
    """Find the models to serve, downloading those of the hub.

    Args:
        names: Embedded names, folders or hub ids.

    Returns:
        Models by public name, in the order of `names`.

    Raises:
        InvalidArgument: A model does not exist, or two have the same public name.
        UnsupportedPipeline: A model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    served: dict[str, ServedModel] = {}
    for name in names:
        description = find_model(name)
        public = description.path.name if description.kind is SourceKind.FOLDER else description.name
        if public in served:
            raise InvalidArgument("model", "must have a last name of its own, no name twice", public, "rename one")
        served[public] = ServedModel(public, description, current_environment(description.path), int(time.time()))
    return served


def load_worker(models: dict[str, ServedModel], device: str) -> Worker:
    """Load every model onto a device, from safetensors only and without running code of a checkpoint.

    Args:
        models: Models by public name.
        device: torch device.
    """
    pipelines = {id: load(str(model.description.path), device=device) for id, model in models.items()}
    for pipeline in pipelines.values():
        pipeline.set_progress_bar_config(disable=True)
    return Worker(device, pipelines)
