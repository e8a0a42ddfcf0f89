import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from semguide.server.cluster import ATTEMPTS, ClusterFront, Makers, create_cluster_app
from semguide.server.jobs import Failure
from semguide.server.served_models import ServedModel
from semguide.server.settings import Limits, ServerSettings
from support.live_server import PROMPT

KEY = "a-key-of-some-length"
BODY = {"prompt": PROMPT, "semguide": {"steps": 3, "seed": 7}}
Ask = Callable[..., httpx.Response]


class Died(Exception):
    """A maker has."""


class Full(Exception):
    """As many wait as may."""


class FakeMakers:
    """Makers that answer, or raise, what they are told to, one request after the other."""

    def __init__(self, *answers: bytes | Failure | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    async def ask(self, request: str) -> bytes | Failure:
        self.asked.append(json.loads(request))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def ask(models: dict[str, ServedModel]) -> Ask:
    """Send a request to an application before fake makers."""

    def send(
        makers: FakeMakers,
        path: str = "/v1/images/generations",
        client: str = "127.0.0.1",
        key: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        host = "127.0.0.1" if key is None else "0.0.0.0"
        settings = ServerSettings(host=host, api_key=key, limits=Limits(queue=2, steps=50))
        app = create_cluster_app(ClusterFront(models, settings, Makers(makers.ask, (Died,), Full)))
        transport = httpx.ASGITransport(app, client=(client, 1), raise_app_exceptions=False)

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                return await http.request(options.pop("method", "POST"), path, **options)

        return asyncio.run(call())

    return send


def test_a_reply_is_the_makers_own(ask: Ask):
    makers = FakeMakers(b'{"data": []}')
    reply = ask(makers, json=BODY)
    assert (reply.status_code, reply.content, reply.headers["Content-Type"]) == (
        200,
        b'{"data": []}',
        "application/json",
    )
    assert makers.asked == [BODY]


def test_where_a_maker_dies_another_is_asked_for_the_same(ask: Ask):
    makers = FakeMakers(Died("killed"), Died("killed"), b"{}")
    assert ask(makers, json=BODY).status_code == 200
    assert makers.asked == [BODY] * 3


def test_a_request_that_kills_every_maker_is_given_up(ask: Ask):
    makers = FakeMakers(*[Died("killed")] * (ATTEMPTS + 1))
    reply = ask(makers, json=BODY)
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "maker_died")
    assert len(makers.asked) == ATTEMPTS


def test_a_full_queue_refuses_who_comes_but_not_who_was_in_it(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    reply = ask(FakeMakers(Full("2 wait")), json=BODY)
    assert (reply.status_code, reply.json()["error"]["code"], reply.headers["Retry-After"]) == (429, "queue_full", "5")
    monkeypatch.setattr("semguide.server.cluster.PAUSE", 0.0)
    assert ask(FakeMakers(Died("killed"), Full("2 wait"), Full("2 wait"), b"{}"), json=BODY).status_code == 200


def test_a_failure_of_the_images_is_not_tried_again(ask: Ask):
    makers = FakeMakers(Failure(500, "generation_failed", "out of memory"))
    reply = ask(makers, json=BODY)
    assert (reply.status_code, reply.json()["error"]["message"]) == (500, "out of memory")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": PROMPT, "semguide": {"steps": 51}}, "semguide.steps"),
        ({"prompt": PROMPT, "model": "unknown"}, "model"),
        ({"prompt": PROMPT, "response_format": "url"}, "response_format"),
        ({"prompt": ""}, "prompt"),
    ],
)
def test_what_breaks_a_rule_costs_no_maker_anything(ask: Ask, body: dict[str, Any], field: str):
    makers = FakeMakers()
    reply = ask(makers, json=body)
    assert (reply.status_code in (400, 404), reply.json()["error"]["param"]) == (True, field)
    assert makers.asked == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("POST", "/v1/jobs"),
        ("POST", "/v1/jobs/cost"),
        ("GET", "/v1/jobs/16b6/events"),
        ("DELETE", "/v1/jobs/16b6"),
    ],
)
def test_what_lives_in_one_process_is_refused_in_a_sentence(ask: Ask, method: str, path: str):
    reply = ask(FakeMakers(), path, method=method)
    assert (reply.status_code, reply.json()["error"]["code"]) == (501, "one_process_only")
    assert "live in the memory of one process" in reply.json()["error"]["message"]


def test_models_concepts_and_methods_are_told_without_a_maker(ask: Ask):
    assert [card["id"] for card in ask(FakeMakers(), "/v1/models", method="GET").json()["data"]] == ["tiny-sd"]
    found = ask(FakeMakers(), "/v1/concepts", json={"prompt": PROMPT}).json()["concepts"]
    assert [concept["text"] for concept in found] == ["a red book", "a yellow vase"]
    assert ask(FakeMakers(), "/v1/methods", method="GET").json()["limits"]["steps"] == 50


def test_without_a_key_only_this_machine_is_answered_and_with_one_who_has_it(ask: Ask):
    refused = ask(FakeMakers(), "/v1/models", method="GET", client="10.1.2.3")
    assert (refused.status_code, "set SEMGUIDE_API_KEY" in refused.text) == (401, True)
    named = {"Host": "other.example"}
    assert ask(FakeMakers(), "/v1/models", method="GET", headers=named).status_code == 400
    assert ask(FakeMakers(), "/v1/models", method="GET", headers=named, key=KEY).status_code == 401
    named |= {"Authorization": f"Bearer {KEY}"}
    assert ask(FakeMakers(), "/v1/models", method="GET", headers=named, key=KEY, client="10.1.2.3").status_code == 200
