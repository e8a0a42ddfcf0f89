"""A program that serves a checkpoint on a Ray of its own, until its input ends: `ray_application.py FOLDER REPLICAS`.

It prints the port once the application runs.
"""

from __future__ import annotations

import socket
import sys
from importlib import import_module
from typing import Any

from semguide.server.ray_serve import Arguments, build


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main() -> None:
    """Serve."""
    ray: Any = import_module("ray")  # the types of an extra that may be missing
    serve: Any = import_module("ray.serve")
    checkpoint, replicas = sys.argv[1:]
    port = free_port()
    ray.init(num_cpus=int(replicas), include_dashboard=False, logging_level="error", log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    limits = {"steps": 900, "queue": 8}
    serve.run(build(Arguments(model=[checkpoint], replicas=int(replicas), device="cpu", limits=limits)))
    print(port, flush=True)
    sys.stdin.read()
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
