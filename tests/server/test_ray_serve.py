import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from semguide.errors import InvalidArgument, MissingExtra
from semguide.models import LoadOptions
from semguide.server.ray_serve import API, IMAGES, Arguments, build, images_options, server_settings
from support.live_server import PROMPT, Live, wait_for

APPLICATION = Path(__file__).parents[1] / "support" / "ray_application.py"
CLIENTS, REQUESTS, REPLICAS, STEPS = 4, 12, 2, 40
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra 'ray': pip install '.[ray]'")


@dataclass(frozen=True)
class Application:
    """An application on a Ray of its own."""

    url: str
    process: subprocess.Popen[str]

    def ask(self, seed: int, steps: int = STEPS, timeout: float = 300.0) -> httpx.Response:
        """Ask for one image."""
        body = {"prompt": PROMPT, "semguide": {"steps": steps, "seed": seed}}
        return httpx.post(f"{self.url}/v1/images/generations", json=body, timeout=timeout)

    def makers(self) -> set[int]:
        """Return the process ids of the replicas that make images."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return {child.pid for child in children if is_maker(child)}


def is_maker(process: psutil.Process) -> bool:
    try:
        return "ServeReplica:default:Images" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def application(tiny: Path) -> Iterator[Application]:
    command = [sys.executable, str(APPLICATION), str(tiny), str(REPLICAS)]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            port = json.loads(process.stdout.readline())
            yield Application(f"http://127.0.0.1:{port}", process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(120)


@pytest.mark.slow
@needs_ray
def test_no_request_is_lost_when_a_replica_is_killed_and_pictures_stay_those_of_one_server(
    application: Application, live: Live
):
    before = application.makers()
    with ThreadPoolExecutor(CLIENTS) as clients:  # two requests at each replica, which is as many as it takes
        answers = [clients.submit(application.ask, seed) for seed in range(REQUESTS)]
        wait(answers, return_when=FIRST_COMPLETED)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        replies = [answer.result() for answer in answers]
    assert len(before) == REPLICAS
    assert [reply.status_code for reply in replies] == [200] * REQUESTS
    assert list(map(pixels, replies)) == [pixels(plain(live, seed)) for seed in range(REQUESTS)]
    after = wait_for(lambda: found if len(found := application.makers()) == REPLICAS else None)
    assert killed not in after


@pytest.mark.slow
@needs_ray
def test_a_client_that_goes_away_frees_its_replica(application: Application):
    def give_up(seed: int) -> None:
        with pytest.raises(httpx.ReadTimeout):
            application.ask(seed, steps=900, timeout=1.0)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(give_up, range(CLIENTS)))
    assert application.ask(0, steps=1).status_code == 200


@pytest.mark.slow
@needs_ray
def test_the_applications_own_routes_are_told_and_jobs_are_refused(application: Application):
    assert [card["id"] for card in httpx.get(f"{application.url}/v1/models").json()["data"]] == ["tiny-sd"]
    refused = httpx.post(f"{application.url}/v1/jobs", json={"prompt": PROMPT})
    assert (refused.status_code, refused.json()["error"]["code"]) == (501, "one_process_only")


def plain(live: Live, seed: int) -> httpx.Response:
    return live.http.post("/v1/images/generations", json={"prompt": PROMPT, "semguide": {"steps": STEPS, "seed": seed}})


def pixels(reply: httpx.Response) -> str:
    return reply.json()["data"][0]["semguide"]["pixels"]


def test_replicas_follow_the_queue_between_the_least_and_the_most():
    options = images_options(Arguments(replicas=2, max_replicas=8, batch=4), "cuda")
    assert options["autoscaling_config"] == {"min_replicas": 2, "max_replicas": 8, "target_ongoing_requests": 8}
    assert (options["max_ongoing_requests"], options["ray_actor_options"]) == (8, {"num_gpus": 1})
    fixed = images_options(Arguments(replicas=3, limits={"queue": 100}), "cpu")
    assert (fixed["num_replicas"], fixed["max_queued_requests"], fixed["ray_actor_options"]) == (
        3,
        100,
        {"num_cpus": 1},
    )
    with pytest.raises(InvalidArgument, match="max_replicas must be at least"):
        images_options(Arguments(replicas=3, max_replicas=2), "cpu")


def test_arguments_are_read_as_the_command_line_of_serve_gives_them():
    arguments = Arguments.model_validate({"model": "emoji-unet,/models/mine", "replicas": "2"})
    assert (arguments.model, arguments.replicas) == (["emoji-unet", "/models/mine"], 2)
    with pytest.raises(ValueError, match="replica"):
        Arguments.model_validate({"replica": 2})


def test_the_command_of_the_docs_is_read():
    page = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
    (target, words), *_ = re.findall(r"^serve run (\S+:\w+) (.+)$", page, re.MULTILINE)
    arguments = Arguments.model_validate(dict(word.split("=") for word in words.split()))
    assert target == f"{build.__module__}:{build.__name__}"
    assert (arguments.model, arguments.replicas) == (["emoji-unet"], 2)


def test_the_config_file_of_the_docs_is_read():
    page = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (application,) = yaml.safe_load(block)["applications"]
    arguments = Arguments.model_validate(application["args"])
    options = images_options(arguments, "cuda")
    assert application["import_path"] == f"{build.__module__}:{build.__name__}"
    assert {deployment["name"] for deployment in application["deployments"]} == {IMAGES, API}
    assert (options["autoscaling_config"]["max_replicas"], server_settings(arguments).limits.steps) == (8, 50)
    assert LoadOptions.from_json(arguments.loading).dtype == "bfloat16"


@pytest.mark.parametrize("name", ["kept", "step"])
def test_limits_that_mean_nothing_here_are_refused(name: str):
    with pytest.raises(InvalidArgument, match="limits must be of prompt_length"):
        server_settings(Arguments(limits={name: 3}))


def test_a_key_of_the_environment_opens_the_api_to_other_machines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEMGUIDE_API_KEY", raising=False)
    assert server_settings(Arguments()).local
    monkeypatch.setenv("SEMGUIDE_API_KEY", "a-key-of-some-length")
    assert server_settings(Arguments()).hosts is None


def test_a_missing_ray_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    for name in ("ray", "ray.serve"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"needs the extra 'ray': pip install '.\[ray\]'"):
        build(Arguments())
