"""The FastAPI application: routers, error handlers, static files and security middleware."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from semguide.server.dependencies import Server
from semguide.server.errors import install_handlers
from semguide.server.routers import concepts, health, jobs, openai_images
from semguide.server.security import SecurityMiddleware
from semguide.server.static_files import add_static_files

DESCRIPTION = """Text-to-image diffusion that keeps every concept of the prompt.

`POST /v1/images/generations` is OpenAI's Images API. `POST /v1/jobs` does the same in the background, with events for
each step. Where the server has a key, send it as `Authorization: Bearer KEY`; reading a job needs its id only.
"""


def create_app(server: Server) -> FastAPI:
    """Create the ASGI application of a server; the caller starts the engine."""
    app = FastAPI(
        title="semguide",
        version=version("semguide"),
        description=DESCRIPTION,
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
    )
    app.state.server = server
    for module in (openai_images, jobs, concepts, health):
        app.include_router(module.router)
    install_handlers(app)
    add_static_files(app)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    app.add_middleware(SecurityMiddleware, settings=server.settings, on_response=server.metrics.count_request)
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
