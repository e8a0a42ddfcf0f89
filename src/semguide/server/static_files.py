"""Static files of the web page, read once at the start: no path of a request reaches the file system."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response

PAGE = Path(__file__).resolve().parent / "page"
INDEX = "index.html"
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


def add_static_files(app: FastAPI, folder: Path = PAGE) -> None:
    """Add a route for each file of a folder, `/` for index.html.

    Args:
        app: The application.
        folder: The folder; no routes are added if it does not exist.
    """
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            name = file.relative_to(folder).as_posix()
            _add_route(app, "/" if name == INDEX else f"/{name}", file)


def _add_route(app: FastAPI, path: str, file: Path) -> None:
    content, kind = file.read_bytes(), _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]

    async def answer() -> Response:
        return Response(content, media_type=kind or "application/octet-stream", headers={"Cache-Control": "no-cache"})

    app.add_api_route(path, answer, methods=["GET"], include_in_schema=False)
