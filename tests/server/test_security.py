import socket
from collections.abc import Iterator

import httpx
import pytest

from semguide.server.settings import Timeouts
from server.conftest import Start
from support.live_server import PROMPT, Live

KEY = "a-key-of-some-length"


@pytest.fixture(scope="module")
def locked(start_server: Start) -> Iterator[Live]:
    with start_server(api_key=KEY, limits={"body": 4096}, timeouts=Timeouts(body=0.5)) as server:
        yield server


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer ü"])
def test_without_the_key_nothing_is_done(locked: Live, header: str | None):
    headers = {} if header is None else {b"Authorization": header.encode()}
    for method, path in (
        ("POST", "/v1/images/generations"),
        ("POST", "/v1/jobs"),
        ("GET", "/v1/models"),
        ("GET", "/metrics"),
    ):
        reply = httpx.request(method, f"{locked.url}{path}", headers=headers, json={"prompt": PROMPT})
        assert reply.status_code == 401, path
        assert reply.json()["error"]["code"] == "invalid_api_key"
        assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_with_the_key_everything_is_and_a_job_is_read_by_its_id_alone(locked: Live):
    job = locked.start(steps=1)
    assert locked.events(job["id"])[-1]["event"] == "done"
    for path in ("", "/run.json", "/images/0.png"):
        assert httpx.get(f"{locked.url}/v1/jobs/{job['id']}{path}").status_code == 200
    assert httpx.delete(f"{locked.url}/v1/jobs/{job['id']}").status_code == 401


def test_health_needs_no_key(locked: Live):
    assert httpx.get(f"{locked.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{locked.url}/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", ""),
        *("localhost:evil.example", "localhost:99999", "evil@localhost", "localhost/evil", "localhost:80:80", "::1"),
    ],
)
def test_another_name_in_the_host_header_is_refused(live: Live, host: str):
    reply = live.http.get("/v1/models", headers={"Host": host})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "localhost.:1", "localhost:", "127.0.0.1", "[::1]:9", "[0:0:0:0:0:0:0:1]"]
)
def test_the_names_of_this_machine_are_answered(live: Live, host: str):
    assert live.http.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "http://["])
def test_pages_of_others_may_not_ask(live: Live, origin: str):
    for path in ("/v1/jobs", "/v1/images/generations", "/v1/concepts"):
        reply = live.http.post(path, json={"prompt": PROMPT}, headers={"Origin": origin})
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "foreign_origin")
    read = live.http.get("/v1/models", headers={"Origin": origin})
    assert "access-control-allow-origin" not in read.headers


def test_our_own_page_may_ask(live: Live):
    reply = live.http.post("/v1/concepts", json={"prompt": PROMPT}, headers={"Origin": live.url})
    assert reply.status_code == 200


def test_a_body_that_is_too_large_is_refused_also_in_pieces(locked: Live):
    headers = {"Content-Type": "application/json"}
    for content in (b" " * 5000, iter([b" " * 3000, b" " * 3000])):
        reply = locked.http.post("/v1/jobs", content=content, headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")


def test_nobody_without_the_key_has_his_body_read(locked: Live):
    host, port = locked.url.removeprefix("http://").split(":")
    header = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n"
    for key, status in ((b"", b"401"), (f"Authorization: Bearer {KEY}\r\n".encode(), b"408")):
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(header + key + b"\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 3000, b'{"prompt": "\xff"}', b'{"prompt": "\\ud800"}', b'{"prompt": 1e999}']
)
def test_a_body_that_is_no_request_is_refused(live: Live, body: bytes):
    for path in ("/v1/jobs", "/v1/images/generations", "/v1/concepts"):
        reply = live.http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400
        assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[" * 3000, "body must be JSON that every program reads: it is nested too deeply"),
        (b'{"prompt": "\xff"}', "body must be JSON that every program reads: it is no UTF-8 at byte 12"),
        ('{"prompt": "a cat", "user": NaN}', "it has NaN, which is no finite number"),
        ('{"prompt": "a cat", "prompt": "a dog"}', "it has 'prompt' twice in one object"),
        ('{"prompt": "a cat", "n": true}', "n: Input should be a valid integer, got True"),
        ('{"prompt": "a cat", "n": "3"}', "n: Input should be a valid integer, got '3'"),
        ('{"prompt": "a cat", "semguide": {"seed": true}}', "semguide.seed: Input should be a valid integer"),
        ('{"prompt": "a cat", "semguide": {"seeds": [1, "2"]}}', "semguide.seeds.1: Input should be a valid integer"),
        ('{"prompt": "a cat", "semguide": {"full_trace": "yes"}}', "semguide.full_trace: Input should be a valid bool"),
        ('{"prompt": "a cat", "semguide": {"evaluations": 0.5}}', "semguide.evaluations: Input should be a valid int"),
        ('{"prompt": "a cat", "semguide": {"compare": [{}]}}', "semguide.compare.0: Input should be a valid string"),
        ('{"prompt": "a cat", "semguide": {"edits": [{}]}}', "semguide.edits.0.text: Field required"),
        ('{"n": 1}', "prompt: Field required"),
    ],
)
def test_what_is_wrong_in_a_body_is_named_with_its_field(live: Live, body: str | bytes, sentence: str):
    reply = live.http.post("/v1/images/generations", content=body, headers={"Content-Type": "application/json"})
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (400, "invalid_value")
    assert sentence in error["message"]
    assert error["param"] in (None, sentence.partition(":")[0])


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused(live: Live, value: str):
    for field in ("guidance_scale", "seed", "steps"):
        body = f'{{"prompt": "a cat", "semguide": {{"{field}": {value}}}}}'
        reply = live.http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400
    body = f'{{"prompt": "a cat", "semguide": {{"parameters": {{"strength": {value}}}}}}}'
    assert live.http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"}).status_code == 400


def test_every_answer_forbids_scripts_of_others(live: Live):
    for path in ("/healthz", "/nothing", "/v1/models"):
        headers = live.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_no_address_shows_a_file(live: Live):
    for path in ("/../settings.py", "/%2e%2e/settings.py", "/app.py", "/etc/passwd", "/v1/models//etc/passwd"):
        assert live.http.get(path).status_code == 404


def test_head_is_answered_as_get_without_the_body(live: Live):
    job = live.start(steps=900)["id"]
    for path in ("/", "/healthz", "/v1/models", f"/v1/jobs/{job}", f"/v1/jobs/{job}/events", "/nothing"):
        head = live.http.head(path)
        assert head.content == b""
        if not path.endswith("events"):
            got = live.http.get(path)
            assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    live.cancel(job)
    assert live.http.head("/v1/concepts").status_code == 405
