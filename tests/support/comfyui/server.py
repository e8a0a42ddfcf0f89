"""A real ComfyUI server in a process of its own, spoken to over HTTP, from the folder that COMFYUI_PATH names."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semguide.adapters.hosts.comfyui.install import install_pack
from support.comfyui import real

TESTS = Path(__file__).parents[2]
PATIENCE = 240
"""Seconds to wait for the server, or for a picture."""
Json = Any


class Server:
    """ComfyUI's endpoints."""

    def __init__(self, port: int, base: Path, process: subprocess.Popen[bytes]) -> None:
        self.url, self.port, self.base, self._process = f"http://127.0.0.1:{port}", port, base, process

    def get(self, path: str) -> bytes:
        """Return the body of a GET."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE) as reply:
            return reply.read()

    def queue(self, graph: Json, **more: Any) -> tuple[int, Json]:
        """Post a graph; returns status and reply."""
        body = json.dumps({"prompt": graph, **more}).encode()
        request = urllib.request.Request(f"{self.url}/prompt", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def draw(self, graph: Json, **more: Any) -> dict[str, list[Path]]:
        """Run a graph to its end; returns the pictures of each node that shows or saves some."""
        return self.draw_and_tell(graph, **more)[0]

    def draw_and_tell(self, graph: Json, **more: Any) -> tuple[dict[str, list[Path]], dict[str, str]]:
        """Run a graph to its end; returns its pictures, and the texts that nodes show.

        Some versions give what a node shows only once, when it ran.
        """
        outputs = self._shown(graph, more).items()
        pictures = {
            node: [self.base / image["type"] / image["subfolder"] / image["filename"] for image in shown["images"]]
            for node, shown in outputs
            if "images" in shown
        }
        return pictures, {node: shown["text"][0] for node, shown in outputs if "text" in shown}

    def _shown(self, graph: Json, more: Json) -> Json:
        status, reply = self.queue(graph, **more)
        assert status == 200, reply
        entry = self._waited_for(reply["prompt_id"])
        assert entry["status"]["status_str"] == "success", entry["status"]
        return entry["outputs"]

    def _waited_for(self, prompt: str) -> Json:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            history = json.loads(self.get(f"/history/{prompt}"))
            if prompt in history:
                return history[prompt]
            time.sleep(0.2)
        raise AssertionError(f"{prompt} is not done after {PATIENCE} s; log:\n{self.log()[-4000:]}")

    def log(self) -> str:
        """Return what the server wrote."""
        return (self.base / "log.txt").read_text(errors="replace")


@contextmanager
def running(base: Path) -> Iterator[Server]:
    """Start a server in a folder of its own, with the pack and the tiny checkpoint, and end it."""
    for name in ("custom_nodes", "web", "models", "input", "output", "user"):
        (base / name).mkdir(parents=True)
    (base / "main.py").touch()
    (base / "web" / "index.html").touch()
    install_pack(base)
    (base / "custom_nodes" / "tiny.py").write_text(
        "from support.comfyui.tiny_nodes import *\nreplace_checkpoints()\n", encoding="utf-8"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--cpu", "--disable-api-nodes", "--listen", "127.0.0.1", "--port", str(port)]
    folders = ["--base-directory", str(base), "--front-end-root", str(base / "web")]
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    with (base / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(real.FOLDER) / "main.py"), *options, *folders],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=real.FOLDER,
        )
        server = Server(port, base, process)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            server.get("/system_stats")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"ComfyUI does not answer; log:\n{server.log()[-4000:]}")
