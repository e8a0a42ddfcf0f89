"""The API on Ray Serve: `serve run semguide.server.ray_serve:build model=emoji-unet replicas=2`, or a config file.

Two deployments. `Api` checks requests and makes nothing; it may have any number of replicas. `Images` makes the images,
one replica a device. Serve starts them, scales them by what waits, and replaces one that dies; `Api` then asks another.
"""

import os
import warnings
from dataclasses import fields, replace
from importlib import import_module
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from semguide.errors import InvalidArgument, MissingExtra, SemguideWarning
from semguide.models import LoadOptions, choose_device, default_model
from semguide.server.cluster import ClusterFront, Makers, create_cluster_app
from semguide.server.dependencies import Server
from semguide.server.engine import Engine
from semguide.server.errors import JobFailed
from semguide.server.jobs import Failure
from semguide.server.prometheus import Metrics
from semguide.server.request_schemas import ImagesRequest
from semguide.server.routers.openai_images import make_images
from semguide.server.served_models import find_models, load_worker
from semguide.server.settings import KEY_VARIABLE, Limits, ServerSettings

API, IMAGES = "Api", "Images"
"""Names of the deployments, as the `deployments` of a config file call them."""
ONE_PROCESS = {"connections", "followers", "kept", "kept_bytes"}
"""Limits of `semguide serve` that mean nothing here."""
UNLIMITED = 2**31 - 1
WAITING = 2
"""Requests at a replica for each image of its batch: as many as run, and as many more, so that it is never idle."""

Texts = Annotated[list[str], BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value)]


class Arguments(BaseModel):
    """Arguments of `build`: `name=value` of `serve run`, or `args` of a config file."""

    model_config = ConfigDict(extra="forbid")

    model: Texts = Field(
        default=[], description="Names, folders, files or hub ids, found at every node; none: the default."
    )
    device: str = Field(
        default="auto", description="auto, cuda (a GPU a replica) or another torch device (a CPU a replica)."
    )
    replicas: int = Field(default=1, ge=1, description="Replicas that make images, at least.")
    max_replicas: int = Field(
        default=0, ge=0, description="At most, by how many requests wait; 0: as many as `replicas`."
    )
    batch: int = Field(default=1, ge=1, description="Images of one shape a denoiser call; 1: equal bit for bit.")
    allow_host: Texts = Field(default=[], description="Other names that the API is called by.")
    limits: dict[str, int] = Field(default={}, description="Fields of `Limits`.")
    loading: dict[str, Any] = Field(default={}, description="How the models are loaded: fields of `LoadOptions`.")


def build(arguments: Arguments) -> Any:
    """Build the application; Ray must be connected, as `serve run` and `serve deploy` see to.

    Args:
        arguments: Which models, and how many replicas.

    Returns:
        The application, which `serve.run` takes.

    Raises:
        MissingExtra: Ray Serve is not installed.
        InvalidArgument: A value breaks a rule.
    """
    serve, settings = _ray("ray.serve"), server_settings(arguments)
    names, loading = arguments.model, LoadOptions.from_json(arguments.loading)
    device = _device(arguments.device)
    images = serve.deployment(Images, name=IMAGES, **images_options(arguments, device))

    def start() -> FastAPI:
        return _start_api(names, loading, settings)

    api = serve.deployment(
        serve.ingress(start)(),
        name=API,
        max_ongoing_requests=settings.limits.connections,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=settings.grace,
    )
    return api.bind(images.bind(names, loading, device, settings))


def server_settings(arguments: Arguments) -> ServerSettings:
    """Return settings and limits; where there is no key, only names of this machine are answered.

    Raises:
        InvalidArgument: A limit is unknown or out of range, or the key is too short.
    """
    known = [field.name for field in fields(Limits) if field.name not in ONE_PROCESS]
    unknown = [name for name in arguments.limits if name not in known]
    if unknown:
        raise InvalidArgument("limits", f"must be of {', '.join(known)}", unknown[0])
    key = os.environ.get(KEY_VARIABLE)
    return ServerSettings(
        host="127.0.0.1" if key is None else "0.0.0.0",
        api_key=key,
        allowed_hosts=tuple(arguments.allow_host),
        batch=arguments.batch,
        limits=Limits(**arguments.limits),
    )


def images_options(arguments: Arguments, device: str) -> dict[str, Any]:
    """Return the options of the deployment that makes images.

    Raises:
        InvalidArgument: `max_replicas` is less than `replicas`.
    """
    ongoing = WAITING * arguments.batch
    least, most = arguments.replicas, arguments.max_replicas or arguments.replicas
    if most < least:
        raise InvalidArgument("max_replicas", f"must be at least {{replicas}} ({least})", most, "leave it out")
    scaling = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": ongoing}
    return {
        **({"autoscaling_config": scaling} if most > least else {"num_replicas": least}),
        "ray_actor_options": {"num_gpus": 1} if device.startswith("cuda") else {"num_cpus": 1},
        "max_ongoing_requests": ongoing,
        "max_queued_requests": Limits(**arguments.limits).queue,
        "graceful_shutdown_timeout_s": ServerSettings.grace,
    }


class Images:
    """The deployment that makes images: one replica a device, each with all models and an engine of its own.

    Args:
        names: The models, as `model` names them.
        loading: How they are loaded.
        device: torch device; a replica with a GPU of its own sees no other.
        settings: Limits and batch.
    """

    def __init__(self, names: list[str], loading: LoadOptions, device: str, settings: ServerSettings) -> None:
        warnings.filterwarnings("ignore", category=SemguideWarning)  # a reply tells its client
        chosen = choose_device(device)
        models = find_models(names or [default_model()], loading, [chosen])
        limits = replace(settings.limits, queue=UNLIMITED, followers=UNLIMITED, kept=1)  # Serve has the queue
        metrics = Metrics()
        engine = Engine(models, [load_worker(models, chosen)], limits, settings.batch, metrics)
        engine.start()
        self._server = Server(engine, replace(settings, limits=limits), metrics)

    async def generate(self, request: str) -> bytes | Failure:
        """Make the images of a request; those of a caller that goes away are given up.

        Args:
            request: JSON of an `ImagesRequest`.

        Returns:
            JSON of an `ImagesReply`, or why there is none.
        """
        try:
            reply = await make_images(ImagesRequest.model_validate_json(request), self._server)
        except JobFailed as error:
            return error.failure
        return reply.model_dump_json().encode()

    def check_health(self) -> None:
        """Tell Serve to replace this replica where its worker has died.

        Raises:
            RuntimeError: It has.
        """
        if not self._server.engine.ready:
            raise RuntimeError("the thread that makes the images has died")


def _start_api(names: list[str], loading: LoadOptions, settings: ServerSettings) -> FastAPI:
    """Create the application of a replica of `Api`."""
    failures = _ray("ray.exceptions")
    died = (failures.RayActorError, failures.NodeDiedError, failures.WorkerCrashedError, failures.OutOfMemoryError)
    images = _ray("ray.serve").get_deployment_handle(IMAGES)

    async def ask(request: str) -> bytes | Failure:
        return await images.generate.remote(request)

    makers = Makers(ask, died, _ray("ray.serve.exceptions").BackPressureError)
    return create_cluster_app(ClusterFront(find_models(names or [default_model()], loading), settings, makers))


def _device(name: str) -> str:
    """Return the device of each replica: a GPU where the cluster has one."""
    if name != "auto":
        return name
    return "cuda" if _ray("ray").cluster_resources().get("GPU", 0) >= 1 else "cpu"


def _ray(module: str) -> Any:
    """Import a module of Ray.

    Raises:
        MissingExtra: Ray Serve is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra("serving on a Ray cluster", "ray") from error
