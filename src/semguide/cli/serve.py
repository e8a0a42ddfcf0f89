"""`semguide serve`: the HTTP API, and the page where it is installed."""

from __future__ import annotations

from typing import Annotated

import typer

from semguide.cli import loading
from semguide.cli.console import hush_libraries, say, warn
from semguide.errors import MissingExtra
from semguide.models import LoadOptions
from semguide.server.settings import KEY_VARIABLE, Limits, ServerSettings


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(help="Embedded name, diffusers folder, .safetensors file or hub id (repeatable)."),
    ] = None,
    device: Annotated[list[str] | None, typer.Option(help="auto or a device; one worker each (repeatable).")] = None,
    dtype: loading.Dtype = "auto",
    variant: loading.Variant = None,
    offload: loading.Offload = "none",
    vae_tiling: loading.VaeTiling = False,
    loras: loading.Loras = None,
    embeddings: loading.Embeddings = None,
    scheduler: loading.Scheduler = None,
    config: loading.Config = None,
    host: Annotated[str, typer.Option(help="Address to listen at; beyond loopback a key is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    api_key: Annotated[
        str | None, typer.Option(envvar=KEY_VARIABLE, help="What clients must send.", show_default=False)
    ] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="Another name this server is called by.")] = None,
    batch: Annotated[int, typer.Option(help="Images of one shape a denoiser call; 1: equal bit for bit.")] = 1,
    grace: Annotated[float, typer.Option(help="Seconds running jobs get after SIGTERM.")] = 300.0,
    max_queue: Annotated[int, typer.Option(help="Jobs that may wait.")] = Limits.queue,
    max_connections: Annotated[int, typer.Option(help="Connections.")] = Limits.connections,
    max_followers: Annotated[int, typer.Option(help="Clients that wait for or follow jobs.")] = Limits.followers,
    max_images: Annotated[int, typer.Option(help="Images of a request, all methods together.")] = Limits.images,
    max_retries: Annotated[int, typer.Option(help="Seeds to try besides an image's own.")] = Limits.retries,
    max_steps: Annotated[int, typer.Option(help="Steps of an image.")] = Limits.steps,
    max_frames: Annotated[int, typer.Option(help="Frames of a video.")] = Limits.frames,
    max_side: Annotated[int, typer.Option(help="Height and width of an image, pixels.")] = Limits.side,
    max_prompt_length: Annotated[int, typer.Option(help="Characters of a prompt.")] = Limits.prompt_length,
    max_concepts: Annotated[int, typer.Option(help="Concepts of an image.")] = Limits.concepts,
) -> None:
    """Serve an OpenAI-compatible HTTP API, with jobs, live events and metrics."""
    settings = ServerSettings(
        host=host,
        port=port,
        api_key=api_key,
        allowed_hosts=tuple(allow_host or ()),
        batch=batch,
        grace=grace,
        limits=Limits(
            queue=max_queue,
            connections=max_connections,
            followers=max_followers,
            images=max_images,
            retries=max_retries,
            steps=max_steps,
            frames=max_frames,
            side=max_side,
            prompt_length=max_prompt_length,
            concepts=max_concepts,
        ),
    )
    options = loading.load_options(dtype, variant, offload, vae_tiling, loras, embeddings, scheduler, config)
    _check_extra()
    _serve(settings, model or [], device or ["auto"], options)


def _check_extra() -> None:
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtra("semguide serve", "web") from error


def _serve(settings: ServerSettings, models: list[str], devices: list[str], options: LoadOptions) -> None:
    import warnings

    from semguide.errors import SemguideWarning
    from semguide.models import choose_device, default_model
    from semguide.server.app import create_app
    from semguide.server.dependencies import Server
    from semguide.server.engine import Engine
    from semguide.server.prometheus import Metrics
    from semguide.server.served_models import find_models, load_worker
    from semguide.server.shutdown import DrainingServer, address, listen

    with listen(settings) as listener:
        hush_libraries()
        warnings.filterwarnings("ignore", category=SemguideWarning)  # a job's own warnings tell its client
        chosen = list(dict.fromkeys(choose_device(name) for name in devices))
        served = find_models(models or [default_model()], options, chosen)
        metrics = Metrics()
        workers = [load_worker(served, device) for device in chosen]
        engine = Engine(served, workers, settings.limits, settings.batch, metrics)
        engine.start()
        if not settings.local:
            warn("the connection is not encrypted: put a proxy with TLS before it, or the key can be read on the way")
        say(f"semguide serves {', '.join(served)} on {', '.join(chosen)} at {address(listener)}; Ctrl-C ends it")
        server = DrainingServer(create_app(Server(engine, settings, metrics)), engine, settings)
        server.run(sockets=[listener])
