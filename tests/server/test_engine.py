import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest
import torch

from semguide.runs.generation import GeneratedImage
from semguide.server.batching import generate_batch
from semguide.server.jobs import ImageTask
from semguide.server.served_models import Worker
from server.conftest import Start
from support.live_server import MANY_STEPS, PROMPT, Live, wait_for


def test_one_more_than_the_queue_holds_is_refused_with_the_time_to_wait(start_server: Start):
    with start_server(limits={"queue": 1}) as live:
        running = live.start(steps=MANY_STEPS)
        live.until(running["id"], "running")
        waiting = live.start(steps=1)
        for path in ("/v1/jobs", "/v1/images/generations"):
            reply = live.http.post(path, json={"prompt": PROMPT})
            assert reply.status_code == 429
            assert int(reply.headers["Retry-After"]) >= 1
            assert reply.json()["error"]["code"] == "queue_full"
        with (
            openai.OpenAI(base_url=f"{live.url}/v1", api_key="x", max_retries=0) as client,
            pytest.raises(openai.RateLimitError),
        ):
            client.images.generate(prompt=PROMPT)
        assert live.metric('semguide_jobs_total{outcome="refused"}') == 3
        assert live.metric("semguide_queue_length") == 1
        live.cancel(running["id"])
        assert live.events(waiting["id"])[-1]["event"] == "done"
        assert live.http.post("/v1/jobs", json={"prompt": PROMPT, "semguide": {"steps": 1}}).status_code == 202


def test_jobs_are_made_in_the_order_they_came(live: Live):
    jobs = [live.start(steps=2) for _ in range(3)]
    for job in jobs:
        live.events(job["id"])
    started = [live.events(job["id"])[0]["data"]["position"] for job in jobs]
    assert started == [0, 0, 0]
    assert [live.job(job["id"])["status"] for job in jobs] == ["done"] * 3


def test_many_clients_at_once_all_get_the_image_of_their_own_seed(start_server: Start):
    with start_server(limits={"queue": 32}) as live:
        found: dict[int, str] = {}

        def ask(seed: int) -> None:
            body = {"prompt": PROMPT, "semguide": {"steps": 2, "seed": seed}}
            reply = httpx.post(f"{live.url}/v1/images/generations", json=body, timeout=120).raise_for_status().json()
            found[seed] = reply["data"][0]["semguide"]["pixels"]

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alone = live.http.post(
            "/v1/images/generations", json={"prompt": PROMPT, "n": 6, "semguide": {"steps": 2}}
        ).json()["data"]
        assert [found[seed] for seed in range(6)] == [made["semguide"]["pixels"] for made in alone]
        assert len(set(found.values())) == 8


def test_finished_jobs_beyond_what_is_kept_are_forgotten(start_server: Start):
    with start_server(limits={"kept": 2}) as live:
        ids = [live.start(steps=1)["id"] for _ in range(3)]
        for id in ids[:1]:
            wait_for(lambda id=id: live.http.get(f"/v1/jobs/{id}").status_code == 404)
        assert live.events(ids[2])[-1]["event"] == "done"
        assert [live.http.get(f"/v1/jobs/{id}").status_code for id in ids] == [404, 200, 200]


def test_a_drain_finishes_what_runs_and_refuses_the_rest(start_server: Start):
    with start_server() as live:
        running, waiting = live.start(steps=100), live.start(steps=1)
        live.until(running["id"], "running")
        live.uvicorn.handle_exit(signal.SIGTERM, None)
        wait_for(lambda: live.http.get("/readyz").status_code == 503)
        assert live.http.get("/healthz").status_code == 200
        refused = live.http.post("/v1/jobs", json={"prompt": PROMPT})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "shutting_down")
        assert live.events(waiting["id"])[-1]["data"]["error"]["code"] == "shutting_down"
        assert live.events(running["id"])[-1]["event"] == "done"
        wait_for(lambda: live.uvicorn.should_exit)


def test_a_drain_stops_what_runs_too_long(start_server: Start):
    with start_server() as live:
        running = live.start(steps=MANY_STEPS)
        live.until(running["id"], "running")
        live.engine.drain(0.1)
        assert live.until(running["id"], "failed")["error"]["code"] == "shutting_down"


def test_images_of_a_shape_share_their_denoiser_calls_where_asked(start_server: Start):
    with start_server(batch=3) as live:
        blocking = live.start(steps=MANY_STEPS)
        live.until(blocking["id"], "running")
        others = [
            live.start(steps=3, prompt=prompt)
            for prompt in ("a red book and a vase", "a cat and a cow", "two dogs and a hat")
        ]
        live.cancel(blocking["id"])
        ended = [live.events(job["id"]) for job in others]
        assert [events[-1]["event"] for events in ended] == ["done"] * 3
        seconds = {event["data"]["seconds"] for events in ended for event in events if event["event"] == "image"}
        assert len(seconds) == 1  # one call, shared out
        traces = [live.job(job["id"])["images"][0]["report"]["trace"]["concepts"] for job in others]
        assert traces == [["a red book", "a vase"], ["a cat", "a cow"], ["two dogs", "a hat"]]


@contextmanager
def nan_for(pipe: Any, prompt: str) -> Iterator[None]:
    """Let the text encoder of a pipeline make NaN of one prompt."""
    wanted = pipe.tokenizer(prompt, padding="max_length", return_tensors="pt").input_ids[0]

    def spoil(_module: Any, args: tuple[Any, ...], output: Any) -> None:
        for row, ids in enumerate(args[0]):
            if torch.equal(ids, wanted):
                output[0][row] = float("nan")

    hook = pipe.text_encoder.register_forward_hook(spoil)
    try:
        yield
    finally:
        hook.remove()


def test_only_the_job_fails_whose_image_spoils_a_batch(
    start_server: Start, worker: Worker, caplog: pytest.LogCaptureFixture
):
    (pipe,) = worker.pipelines.values()
    prompts = ("a red book and a vase", "a cat and a cow", "two dogs and a hat")
    with start_server(batch=3) as live, nan_for(pipe, "a cat and a cow"):
        blocking = live.start(steps=MANY_STEPS)
        live.until(blocking["id"], "running")
        jobs = [live.start(steps=3, prompt=prompt) for prompt in prompts]
        live.cancel(blocking["id"])
        ended = [live.events(job["id"])[-1] for job in jobs]
        assert [event["event"] for event in ended] == ["done", "failed", "done"]
        assert "at step 1 made NaN or infinity" in ended[1]["data"]["error"]["message"]
        alone = live.start(steps=3, prompt="two dogs and a hat")
        live.events(alone["id"])
        last, again = (live.job(job["id"])["images"][0]["report"]["pixels"] for job in (jobs[2], alone))
        assert last == again
    assert "3 images could not be generated together; they are made one by one" in caplog.messages


def test_a_worker_outlives_an_image_that_cannot_be_made(start_server: Start, monkeypatch: pytest.MonkeyPatch):
    def break_down(*_: object) -> None:
        raise RuntimeError("/secret/place is out of memory")

    with start_server() as live:
        with monkeypatch.context() as patch:
            patch.setattr("semguide.server.engine.generate_batch", break_down)
            reply = live.http.post("/v1/images/generations", json={"prompt": PROMPT})
            failed = live.events(live.start(steps=1)["id"])[-1]
        assert (reply.status_code, reply.json()["error"]["code"]) == (500, "generation_failed")
        assert reply.json()["error"]["message"].startswith("RuntimeError while making the images")
        assert "secret" not in reply.text
        assert failed["event"] == "failed"
        assert live.metric('semguide_jobs_total{outcome="failed"}') == 2
        assert live.events(live.start(steps=1)["id"])[-1]["event"] == "done"


NEVER = {"subject_threshold": 0.0, "abstract_threshold": 0.0, "upper_bound": 1.0}


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")
def test_a_job_says_once_that_its_rule_corrected_nothing(live: Live):
    started = live.start(steps=2, n=2, method="sgt-v1", parameters=NEVER)
    messages = [event["data"]["message"] for event in live.events(started["id"]) if event["event"] == "warning"]
    assert messages == live.job(started["id"])["warnings"]
    (message,) = messages
    assert message.startswith("sgt-v1 corrected nothing at any of the 2 steps")
    assert live.events(live.start(steps=2)["id"])[-1]["event"] == "done"


def test_a_job_of_a_model_that_makes_nan_fails_with_its_step(live: Live, worker: Worker):
    (pipe,) = worker.pipelines.values()
    bias = pipe.unet.conv_out.bias
    kept = bias.detach().clone()
    with torch.no_grad():
        bias.fill_(float("nan"))
        failed = live.events(live.start(steps=2)["id"])[-1]
        bias.copy_(kept)
    assert (failed["event"], failed["data"]["error"]["code"]) == ("failed", "generation_failed")
    assert "at step 1 made NaN or infinity, most likely an overflow" in failed["data"]["error"]["message"]
    assert live.events(live.start(steps=2)["id"])[-1]["event"] == "done"


def test_numbers_in_a_result_that_json_does_not_have_are_null_and_the_server_goes_on(
    live: Live, monkeypatch: pytest.MonkeyPatch
):
    def broken(tasks: list[ImageTask], pipe: Any, call_hooks: dict[str, Any]) -> list[GeneratedImage]:
        made = generate_batch(tasks, pipe, call_hooks)[0]
        trace = {**made.trace, "weight": [[float("inf")]], "similarity": [[float("nan")]]}
        return [replace(made, trace=trace, alignment=[float("nan"), 0.5], alignment_score=float("inf"))]

    with monkeypatch.context() as patched:
        patched.setattr("semguide.server.engine.generate_batch", broken)
        id = live.start(steps=1)["id"]
        events = live.events(id)
    assert [event["event"] for event in events][-2:] == ["image", "done"]
    report = live.job(id)["images"][0]["report"]
    assert (report["alignment"], report["trace"]["weight"], report["trace"]["similarity"]) == (
        [None, 0.5],
        [[None]],
        [[None]],
    )
    assert live.http.get(f"/v1/jobs/{id}/run.json").json()["images"][0]["alignment"][0]["probability"] is None
    assert live.http.get("/readyz").status_code == 200
