import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.command import Cli
from support.live_server import PROMPT, wait_for

COMMAND = [sys.executable, "-c", "from semguide.cli.main import main; main()", "serve", "--port", "0"]


@contextmanager
def started(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, *map(str, arguments), "--device", "cpu"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        line = process.stderr.readline() if process.stderr else ""
        found = re.search(r"serves \S+ on cpu at (http://127\.0\.0\.1:\d+)", line)
        assert found, line
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow  # starts two processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_runs_refuses_the_rest_and_ends_with_0(tiny: Path, number: int):
    with started("--model", tiny) as (process, url), httpx.Client(base_url=url, timeout=60) as http:
        made: list[httpx.Response] = []
        body = {"prompt": PROMPT, "semguide": {"steps": 100}}
        thread = threading.Thread(
            target=lambda: made.append(httpx.post(f"{url}/v1/images/generations", json=body, timeout=120))
        )
        thread.start()
        wait_for(lambda: "semguide_images_in_flight 1.0" in http.get("/metrics").text)
        process.send_signal(number)
        wait_for(lambda: http.get("/readyz").status_code == 503)
        assert http.post("/v1/images/generations", json=body).status_code == 503
        thread.join()
        assert made[0].status_code == 200
        assert process.wait(60) == 0


@pytest.mark.slow  # the embedded checkpoint is larger than the tiny one
def test_the_embedded_checkpoint_is_served_and_equals_the_command_line_bit_for_bit(cli: Cli, tmp_path: Path):
    body = {"prompt": PROMPT, "semguide": {"compare": ["cfg"], "steps": 3, "seed": 7}}
    with started() as (_, url):
        assert [model["id"] for model in httpx.get(f"{url}/v1/models").json()["data"]] == ["emoji-unet"]
        reply = httpx.post(f"{url}/v1/images/generations", json=body, timeout=300).raise_for_status().json()
    options = ("--compare", "cfg", "--steps", 3, "--seed", 7, "--num-images", 1, "--device", "cpu")
    result = cli("generate", PROMPT, *options, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    recorded = json.loads((tmp_path / "out" / "run.json").read_text())["images"]
    assert [made["semguide"]["pixels"] for made in reply["data"]] == [image["pixels"] for image in recorded]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--host", "0.0.0.0"), "--host must be a loopback address such as 127.0.0.1 where there is no key"),
        (("--host", "example.org"), "--host must be a loopback address"),
        (("--api-key", "short"), "--api-key (or SEMGUIDE_API_KEY) must be 16 ASCII characters or more"),
        (("--port", 70000), "--port must be from 0 to 65535"),
        (("--max-queue", 0), "--max-queue must be at least 1"),
        (("--batch", 0), "--batch must be at least 1"),
        (("--grace", 0), "--grace must be more than 0"),
        (("--model", "nothing-here"), "--model must be an embedded name"),
        (("--device", "warp"), "--device must be auto or a device of this machine"),
        (("--host", "203.0.113.1", "--api-key", "x" * 16), "--host and --port must be a free address of this machine"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_loaded(
    cli: Cli, arguments: tuple[object, ...], sentence: str
):
    result = cli("serve", *(("--port", 0) if "--port" not in arguments else ()), *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_two_models_of_one_name_are_refused(cli: Cli, tiny: Path, tmp_path: Path):
    (tmp_path / tiny.name).symlink_to(tiny)
    (tmp_path / "other").mkdir()
    result = cli("serve", "--port", 0, "--model", tiny, "--model", tiny)
    assert result.exit_code == 2
    assert "--model must have a last name of its own, no name twice, got 'tiny-sd'" in result.stderr


def test_without_the_extra_the_command_that_installs_it_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    result = cli("serve", "--port", 0)
    assert result.exit_code == 1
    assert (
        result.stderr
        == "error: semguide serve needs the extra 'web': pip install '.[web]' in a clone of semguide's repository\n"
    )
