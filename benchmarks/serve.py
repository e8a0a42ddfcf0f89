"""How fast `semguide serve` answers many clients beside a bare pipeline loop, and whether its memory stays what it was.

    python benchmarks/serve.py [--clients 1 4 16 64] [--seconds 60] [--rounds 2] [--steps 14] [--batch 8]
                               [--method sgt-balanced] [--model M] [--soak 10] [--out out/serve.json]

Three makers of the same pictures take turns: a loop of pipeline calls in this process, a server without batches, and
one with. Only one works at a time, a turn is so many seconds, and each number of clients has `--rounds` turns of each,
so that all three see the same machine. A client asks for one image after the other, every one with a seed of its own;
what is under way when a turn ends is waited for and counts. `cfg` in the loop is the pipeline's own call, without
semguide. `--soak` then keeps four clients at the server without batches busy for so many minutes, every fifth of whose
requests is given up half-way, and looks at the server's resident memory; `--clients` without a number leaves out the
rest.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from semguide.files import write_json
from semguide.runs.environment import processor

PROMPT = "a red car and a blue apple"
COMMAND = [sys.executable, "-c", "from semguide.cli.main import main; main()", "serve", "--port", "0"]
ROOM = ["--max-queue", "1024", "--max-followers", "1024", "--max-connections", "2048"]
BARE, ALONE = "bare loop", "batch 1"
SOAK_CLIENTS, SAMPLE_EVERY, GIVE_UP_EVERY, GIVE_UP_AFTER = 4, 5.0, 5, 0.2
MIB = 2**20


@dataclass(frozen=True)
class Turn:
    """What one maker did in one turn.

    Attributes:
        answers: HTTP status (200 for a picture of the loop) and seconds of each picture.
        seconds: From the first request to the last answer.
    """

    answers: Sequence[tuple[int, float]]
    seconds: float


Maker = Callable[[int, float], Turn]
"""Makes pictures for a number of clients, in a turn of so many seconds."""


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[str]:
    """Start a server; give its address, and end it with SIGTERM."""
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, env=os.environ) as process:
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


def ask(http: httpx.Client, seed: int, options: argparse.Namespace, timeout: float = 600.0) -> tuple[int, float]:
    """Ask for one image; return the status (0: given up) and the seconds until the answer."""
    body = {"prompt": PROMPT, "semguide": {"steps": options.steps, "method": options.method, "seed": seed}}
    start = time.perf_counter()
    try:
        status = http.post("/v1/images/generations", json=body, timeout=timeout).status_code
    except httpx.ReadTimeout:
        status = 0
    return status, time.perf_counter() - start


def served(url: str, options: argparse.Namespace) -> Maker:
    """Return the maker that asks a server."""
    seeds = itertools.count()

    def make(clients: int, seconds: float) -> Turn:
        answers = list[tuple[int, float]]()
        with httpx.Client(base_url=url, limits=httpx.Limits(max_connections=clients)) as http:
            start = time.perf_counter()

            def client() -> None:
                while time.perf_counter() < start + seconds:
                    answers.append(ask(http, next(seeds), options))

            run_threads([client] * clients)
            return Turn(answers, time.perf_counter() - start)

    return make


def bare(options: argparse.Namespace) -> Maker:
    """Return the maker that calls the pipeline, one picture after the other, however many clients there are."""
    from semguide import steer
    from semguide.cli.console import hush_libraries
    from semguide.guidance import METHODS
    from semguide.models import choose_device, default_model, load
    from semguide.runs.generation import make_generator

    hush_libraries()
    pipe = load(options.model or default_model(), choose_device())
    pipe.set_progress_bar_config(disable=True)
    call, seeds = pipe if options.method == "cfg" else steer(pipe, METHODS[options.method]()), itertools.count()

    def make(clients: int, seconds: float) -> Turn:
        del clients
        answers, start = list[tuple[int, float]](), time.perf_counter()
        while (began := time.perf_counter()) < start + seconds:
            call(PROMPT, num_inference_steps=options.steps, generator=make_generator(next(seeds)))
            answers.append((200, time.perf_counter() - began))
        return Turn(answers, time.perf_counter() - start)

    return make


def summary(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return pictures a second, and the median and the 95th percentile of the seconds of a picture."""
    answers = [answer for turn in turns for answer in turn.answers]
    done = sorted(seconds for status, seconds in answers if status == 200)
    if not done:
        statuses = sorted({status for status, _ in answers}) or "none"
        raise SystemExit(f"no image was made in a turn (answers: {statuses}); raise --seconds")
    return {
        "images": len(done),
        "others": len(answers) - len(done),
        "images_per_second": round(len(done) / sum(turn.seconds for turn in turns), 3),
        "p50_seconds": round(statistics.median(done), 3),
        "p95_seconds": round(p95(done), 3),
    }


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile: the smallest value that 95 % do not exceed."""
    return sorted(values)[-(-len(values) * 95 // 100) - 1]


def level(clients: int, makers: dict[str, Maker], options: argparse.Namespace) -> dict[str, Any]:
    """Measure one number of clients: turn about, each round in the other direction."""
    turns: dict[str, list[Turn]] = {name: [] for name in makers}
    for number in range(options.rounds):
        for name in list(makers)[:: -1 if number % 2 else 1]:
            turns[name].append(makers[name](clients, options.seconds))
            rate = summary(turns[name][-1:])["images_per_second"]
            say(f"{clients} clients, round {number + 1} of {options.rounds}, {name}: {rate} images/s")
    found = {name: summary(made) for name, made in turns.items()}
    for made in found.values():
        made["of_bare"] = round(made["images_per_second"] / found[BARE]["images_per_second"], 3)
    return {"clients": clients, "makers": found}


def soak(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Keep a server busy and look at its memory."""
    start = time.perf_counter()
    end = start + 60 * options.soak
    seeds, statuses, samples = itertools.count(), list[int](), list[tuple[float, float]]()

    def client() -> None:
        with httpx.Client(base_url=url) as http:
            while time.perf_counter() < end:
                seed = next(seeds)
                statuses.append(ask(http, seed, options, 600.0 if seed % GIVE_UP_EVERY else GIVE_UP_AFTER)[0])

    def watch() -> None:
        while (now := time.perf_counter()) < end:
            samples.append(((now - start) / 60, resident(url) / MIB))
            if len(samples) % 12 == 0:
                say(f"{samples[-1][0]:.0f} of {options.soak:.0f} minutes: {samples[-1][1]:.0f} MiB")
            time.sleep(min(SAMPLE_EVERY, max(0.1, end - time.perf_counter())))

    run_threads([client] * SOAK_CLIENTS + [watch])
    counts = {"given up" if status == 0 else str(status): statuses.count(status) for status in sorted(set(statuses))}
    return {"minutes": options.soak, "answers": counts, **memory(samples)}


def memory(samples: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return how resident memory went.

    Args:
        samples: Minute and MiB of each look, at least one.
    """
    half = samples[len(samples) // 2 :]
    slope = statistics.linear_regression(*zip(*half, strict=True)).slope if len(half) > 1 else 0.0
    told = {"first": samples[0], "at_half": half[0], "last": samples[-1], "most": max(samples, key=lambda one: one[1])}
    return {
        "resident_mib": {name: round(mib, 1) for name, (_, mib) in told.items()},
        "slope_of_the_second_half_mib_per_minute": round(slope, 3),
        "samples": [[round(minute, 2), round(mib, 1)] for minute, mib in samples],
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


def say(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


def table(levels: Sequence[dict[str, Any]]) -> str:
    """Return one line per number of clients and maker."""
    lines = ["| clients | | images/s | of the bare loop | p50 s | p95 s | images | other answers |", "|" + "---|" * 8]
    names = ("images_per_second", "of_bare", "p50_seconds", "p95_seconds", "images", "others")
    for row in levels:
        for maker, made in row["makers"].items():
            lines.append(f"| {row['clients']} | {maker} | {' | '.join(str(made[name]) for name in names)} |")
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16, 64])
    parser.add_argument("--seconds", type=float, default=60.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each maker for each number of clients")
    parser.add_argument("--steps", type=int, default=14)
    parser.add_argument("--batch", type=int, default=8, help="of the server with batches; 1: there is none")
    parser.add_argument("--method", default="sgt-balanced")
    parser.add_argument("--model", default=None)
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--out", type=Path, default=None, help="JSON file, written after each number of clients")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write JSON."""
    import torch

    options = parse(arguments)
    asked = {name: value for name, value in vars(options).items() if name != "out"}
    machine = {"processor": processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    result: dict[str, Any] = {"asked": asked, "machine": machine, "levels": []}
    flags = [*ROOM, *(["--model", options.model] if options.model else [])]
    with ExitStack() as stack:
        sizes = sorted({1, options.batch})
        urls = {f"batch {size}": stack.enter_context(server([*flags, "--batch", str(size)])) for size in sizes}
        makers = {BARE: bare(options)} if options.clients else {}
        makers |= {name: served(url, options) for name, url in urls.items()}
        for make in makers.values():
            make(1, 0.01)  # the first image of a process is slower
        for clients in options.clients:
            result["levels"].append(level(clients, makers, options))
            write(options.out, result)
        if options.soak:
            result["soak"] = soak(urls[ALONE], options)
            write(options.out, result)
    if result["levels"]:
        print(table(result["levels"]))
    if options.soak:
        print(json.dumps({key: value for key, value in result["soak"].items() if key != "samples"}, indent=2))


def write(out: Path | None, result: dict[str, Any]) -> None:
    """Write what there is, where a file was named."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_json(out, result)


if __name__ == "__main__":
    main()
