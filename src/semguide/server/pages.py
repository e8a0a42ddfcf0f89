"""The page at `/`: a few static files, read once at the start, so that no path of a request meets the file system."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response

PAGE = Path(__file__).resolve().parent / "page"
INDEX = "index.html"
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


def add_page(app: FastAPI, folder: Path = PAGE) -> None:
    """Add an address for each file of a folder, `/` for index.html; nothing where there is no folder."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            name = file.relative_to(folder).as_posix()
            _add(app, "/" if name == INDEX else f"/{name}", file)


def _add(app: FastAPI, address: str, file: Path) -> None:
    content, kind = file.read_bytes(), _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]

    async def answer() -> Response:
        return Response(content, media_type=kind or "application/octet-stream", headers={"Cache-Control": "no-cache"})

    app.add_api_route(address, answer, methods=["GET"], include_in_schema=False)
