"""How fast `semguide serve` answers many clients at once, and whether its memory stays what it was.

    python benchmarks/serve.py [--clients 1 4 16] [--requests 32] [--seconds 60] [--steps 25] [--batch 1] [--out FILE]
    python benchmarks/serve.py --soak MINUTES [--out FILE]

A real server is started on a free port of this machine. Each client asks for one image after the other, every one with
a seed of its own. A level ends after so many requests, or when the seconds are over. The soak keeps four clients busy,
every fifth of whose requests is given up half-way, and looks at the server's resident memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from semguide.files import write_json

PROMPT = "a red car and a blue apple"
COMMAND = [sys.executable, "-c", "from semguide.cli.main import main; main()", "serve", "--port", "0"]
SOAK_CLIENTS, SAMPLE_EVERY, GIVE_UP_EVERY = 4, 5.0, 5
MIB = 2**20


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[str]:
    """Start a server; give its address, and end it with SIGTERM."""
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        line = process.stderr.readline() if process.stderr else ""
        found = re.search(r"at (http://\S+);", line)
        if found is None:
            raise SystemExit(f"the server did not start: {line}")
        yield found[1]
        process.terminate()
        if (code := process.wait(120)) != 0:
            raise SystemExit(f"the server ended with exit code {code}")
    finally:
        process.kill()


def ask(http: httpx.Client, seed: int, steps: int, timeout: float = 600.0) -> tuple[int, float]:
    """Ask for one image; return the status (0: given up) and the seconds until the answer."""
    body = {"prompt": PROMPT, "semguide": {"steps": steps, "seed": seed}}
    start = time.perf_counter()
    try:
        status = http.post("/v1/images/generations", json=body, timeout=timeout).status_code
    except httpx.ReadTimeout:
        status = 0
    return status, time.perf_counter() - start


def level(url: str, clients: int, requests: int, seconds: float, steps: int) -> dict[str, Any]:
    """Measure one number of clients."""
    seeds, end = iter(range(requests)), time.perf_counter() + seconds
    lock, answers = threading.Lock(), list[tuple[int, float]]()

    def client() -> None:
        with httpx.Client(base_url=url) as http:
            while time.perf_counter() < end:
                with lock:
                    seed = next(seeds, None)
                if seed is None:
                    return
                answer = ask(http, seed, steps)
                with lock:
                    answers.append(answer)

    start = time.perf_counter()
    run_threads([client] * clients)
    elapsed = time.perf_counter() - start
    done = sorted(latency for status, latency in answers if status == 200)
    if not done:
        raise SystemExit(f"no image was made in {elapsed:.0f} seconds for {clients} clients; raise --seconds")
    return {
        "clients": clients,
        "images": len(done),
        "others": len(answers) - len(done),
        "images_per_second": round(len(done) / elapsed, 3),
        "p50_seconds": round(statistics.median(done), 3),
        "p95_seconds": round(done[max(0, -(-len(done) * 95 // 100) - 1)], 3),
        "seconds": round(elapsed, 1),
        "resident_mib": round(resident(url) / MIB, 1),
    }


def soak(url: str, minutes: float, steps: int) -> dict[str, Any]:
    """Keep the server busy and look at its memory."""
    end = time.perf_counter() + 60 * minutes
    counts: dict[int, int] = {}
    lock, samples, seeds = threading.Lock(), list[tuple[float, float]](), itertools.count()

    def client() -> None:
        with httpx.Client(base_url=url) as http:
            while time.perf_counter() < end:
                with lock:
                    seed = next(seeds)
                status, _ = ask(http, seed, steps, 0.2 if seed % GIVE_UP_EVERY == 0 else 600.0)
                with lock:
                    counts[status] = counts.get(status, 0) + 1

    def watch() -> None:
        start = time.perf_counter()
        while time.perf_counter() < end:
            samples.append((time.perf_counter() - start, resident(url) / MIB))
            time.sleep(min(SAMPLE_EVERY, max(0.1, end - time.perf_counter())))

    run_threads([client] * SOAK_CLIENTS + [watch])
    half = [value for _, value in samples[len(samples) // 2 :]]
    slope = (
        statistics.linear_regression(*zip(*samples[len(samples) // 2 :], strict=True)).slope if len(half) > 1 else 0.0
    )
    return {
        "minutes": minutes,
        "answers": {"given up" if status == 0 else str(status): count for status, count in sorted(counts.items())},
        "resident_mib": {
            "first": round(samples[0][1], 1),
            "at_half": round(half[0], 1),
            "last": round(samples[-1][1], 1),
            "most": round(max(value for _, value in samples), 1),
        },
        "slope_of_the_second_half_mib_per_minute": round(60 * slope, 3),
        "samples": [[round(seconds, 1), round(mib, 1)] for seconds, mib in samples],
    }


def resident(url: str) -> float:
    """Return the server's resident memory, bytes."""
    found = re.search(r"^process_resident_memory_bytes (\S+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def run_threads(targets: Sequence[Any]) -> None:
    """Run functions at the same time, and wait for them all."""
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--requests", type=int, default=32, help="of a level, at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a level, at most")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--model", default=None)
    parser.add_argument("--soak", type=float, default=None, metavar="MINUTES")
    parser.add_argument("--out", type=Path, default=None, help="JSON file")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write JSON."""
    options = parse(arguments)
    flags = ["--batch", str(options.batch), *(["--model", options.model] if options.model else [])]
    result: dict[str, Any] = {"steps": options.steps, "batch": options.batch, "cores": os.cpu_count()}
    with server(flags) as url:
        with httpx.Client(base_url=url) as http:
            ask(http, 0, 2)  # the first image of a process is slower
        if options.soak is not None:
            result["soak"] = soak(url, options.soak, options.steps)
            print(json.dumps({key: value for key, value in result["soak"].items() if key != "samples"}, indent=2))
        else:
            result["levels"] = [
                level(url, clients, options.requests, options.seconds, options.steps) for clients in options.clients
            ]
            print_table(result["levels"])
    if options.out is not None:
        write_json(options.out, result)


def print_table(levels: Sequence[dict[str, Any]]) -> None:
    """Print one line per number of clients."""
    print("| clients | images | other answers | images/s | p50 s | p95 s | resident MiB |")
    print("|---|---|---|---|---|---|---|")
    for row in levels:
        names = ("clients", "images", "others", "images_per_second", "p50_seconds", "p95_seconds", "resident_mib")
        print(f"| {' | '.join(str(row[name]) for name in names)} |")


if __name__ == "__main__":
    main()
