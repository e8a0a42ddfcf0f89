"""The FastAPI application: routers, error handlers, static files and security middleware."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI

from semguide.server.dependencies import Front, Server
from semguide.server.errors import install_handlers
from semguide.server.routers import concepts, health, jobs, models, openai_images
from semguide.server.security import SecurityMiddleware
from semguide.server.static_files import add_static_files

DESCRIPTION = """Text-to-image diffusion that keeps every concept of the prompt.

`POST /v1/images/generations` is OpenAI's Images API. `POST /v1/jobs` does the same in the background, with events for
each step. Where the server has a key, send it as `Authorization: Bearer KEY`; reading a job needs its id only.
"""


def create_app(server: Server) -> FastAPI:
    """Create the ASGI application of a server, with the page; the caller starts the engine."""
    modules = (openai_images, models, jobs, concepts, health)
    app = assemble(server, [module.router for module in modules])
    add_static_files(app)
    return app


def assemble(front: Front, routers: Sequence[APIRouter]) -> FastAPI:
    """Create an ASGI application of routers, with error handlers and security middleware.

    Args:
        front: What the routers depend on.
        routers: The routers, in order.
    """
    app = FastAPI(
        title="semguide",
        version=version("semguide"),
        description=DESCRIPTION,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
    )
    app.state.server = front
    for router in routers:
        app.include_router(router)
    install_handlers(app)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    app.add_middleware(SecurityMiddleware, settings=front.settings, on_response=front.metrics.count_request)
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI schema without FastAPI's 422: invalid values are answered with 400."""
    schema = app.openapi_schema
    if schema is None:
        schema = FastAPI.openapi(app)
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                if "401" in operation["responses"]:
                    operation["security"] = [{}, {"key": []}]
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(name, None)
    return schema
