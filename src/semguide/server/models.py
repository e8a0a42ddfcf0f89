"""The models of a server: named at its start, loaded once a device, known to clients by a name and never by a path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models import ModelDescription, SourceKind, load
from semguide.runs.environment import Environment, observe
from semguide.runs.request import find_model


@dataclass(frozen=True)
class ServedModel:
    """A model that clients may ask for.

    Attributes:
        id: Its public name: embedded name, hub id, or the folder's own name.
        description: What it can make.
        environment: What else decides its images.
        created: Unix time at which it was loaded.
    """

    id: str
    description: ModelDescription
    environment: Environment
    created: int


@dataclass(frozen=True)
class Worker:
    """A device and the pipelines on it, by the model's public name."""

    device: str
    pipelines: dict[str, Any]


def serve_models(names: Sequence[str]) -> dict[str, ServedModel]:
    """Find the models to be served; a hub id is fetched now, never later.

    Raises:
        InvalidArgument: A name is none, or two have the same public name.
        UnsupportedPipeline: A model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    served: dict[str, ServedModel] = {}
    for name in names:
        description = find_model(name)
        public = description.path.name if description.kind is SourceKind.FOLDER else description.name
        if public in served:
            raise InvalidArgument(f"model (--model) must differ in their last names, got {public!r} twice; rename one")
        served[public] = ServedModel(public, description, observe(description.path), int(time.time()))
    return served


def load_worker(models: dict[str, ServedModel], device: str) -> Worker:
    """Load every model to a device. Safetensors only; no code of a checkpoint's is run."""
    pipelines = {id: load(str(model.description.path), device=device) for id, model in models.items()}
    for pipeline in pipelines.values():
        pipeline.set_progress_bar_config(disable=True)
    return Worker(device, pipelines)
