"""Models of a server: loaded once per device, known to clients by a public name and never by a path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.models import (
    LoadOptions,
    ModelDescription,
    SourceKind,
    check_machine,
    load,
    own_scheduler,
    scheduler_names,
)
from semguide.models.examples import Examples, read_examples
from semguide.runs.environment import Environment, current_environment
from semguide.runs.request import find_model, text_readers_of

if TYPE_CHECKING:
    from semguide.adapters.inputs import TextReader

LOCAL = (SourceKind.FOLDER, SourceKind.FILE)
ONE_MODEL = ("loras", "embeddings", "scheduler", "config", "variant")
"""Load options that are made for one model."""


@dataclass(frozen=True)
class ServedModel:
    """A model that clients can request.

    Attributes:
        id: Public name: embedded name, hub id, or the last part of the path.
        description: Defaults and ranges of the model.
        environment: Checkpoint hash, versions, dtype and processor.
        created: Unix time in seconds at which it was loaded.
        loading: How it is loaded.
        readers: Its text encoders as far as they read.
        scheduler: Class of the scheduler that it is loaded with.
        schedulers: Those that a request may name in its place.
        examples: The prompts that come with it.
    """

    id: str
    description: ModelDescription
    environment: Environment
    created: int
    loading: LoadOptions = field(default_factory=LoadOptions)
    readers: tuple[TextReader, ...] = ()
    scheduler: str = ""
    schedulers: tuple[str, ...] = ()
    examples: Examples = field(default_factory=Examples)

    def loading_with(self, scheduler: str | None) -> LoadOptions:
        """Return how it is loaded with a scheduler of a request; None: its own.

        Raises:
            InvalidArgument: The scheduler does not go with it.
        """
        if scheduler is None or scheduler == self.scheduler:
            return self.loading
        if scheduler not in self.schedulers:
            known = ", ".join(self.schedulers) or "there are none to choose from"
            raise InvalidArgument("scheduler", f"must be one that goes with {self.id} ({known})", scheduler)
        return replace(self.loading, scheduler=scheduler)


@dataclass(frozen=True)
class Worker:
    """A device and its pipelines.

    Attributes:
        device: torch device.
        pipelines: Pipeline by public name of the model.
    """

    device: str
    pipelines: dict[str, Any]


def find_models(
    names: Sequence[str], loading: LoadOptions | None = None, devices: Sequence[str] = ()
) -> dict[str, ServedModel]:
    """Find the models to serve, downloading those of the hub.

    Args:
        names: Embedded names, folders, files or hub ids.
        loading: How all of them are loaded; None: by the defaults.
        devices: torch devices that they are loaded to.

    Returns:
        Models by public name, in the order of `names`.

    Raises:
        InvalidArgument: A model does not exist, two have the same public name, or one cannot be loaded so.
        UnsupportedPipeline: A model cannot be steered.
        SemguideError: The hub cannot be reached.
    """
    loading = (loading or LoadOptions()).resolved
    for device in devices:
        check_machine(loading, device)
    if len(names) > 1 and (one := next((name for name in ONE_MODEL if getattr(loading, name)), None)):
        value = getattr(loading, one)
        raise InvalidArgument(one, "must be left out where several models are served", value, "serve one {model}")
    served: dict[str, ServedModel] = {}
    for name in names:
        description = find_model(name, loading)
        public = description.path.name if description.kind in LOCAL else description.name
        if public in served:
            raise InvalidArgument("model", "must have a last name of its own, no name twice", public, "rename one")
        own = own_scheduler(description.path, description.configuration)
        served[public] = ServedModel(
            id=public,
            description=description,
            environment=current_environment(description.path, loading),
            created=int(time.time()),
            loading=loading,
            readers=tuple(text_readers_of(description)),
            scheduler=loading.scheduler or own,
            schedulers=() if loading.scheduler else tuple(scheduler_names(own)),
            examples=read_examples(description.path),
        )
    return served


def load_worker(models: dict[str, ServedModel], device: str) -> Worker:
    """Load every model onto a device, from safetensors only and without running code of a checkpoint.

    Args:
        models: Models by public name.
        device: torch device.
    """
    pipelines = {id: load(str(model.description.path), device, model.loading) for id, model in models.items()}
    for pipeline in pipelines.values():
        pipeline.set_progress_bar_config(disable=True)
    return Worker(device, pipelines)
