"""Slow, half-open and too many connections, over real sockets; the limits are small so that the tests are fast."""

import logging
import resource
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from semguide.server.connections import SPARE_FILES, AcceptErrors, allow_open_files
from semguide.server.settings import Timeouts
from server.conftest import Start
from support.live_server import Live, wait_for

HEADER = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def hurried(start_server: Start) -> Iterator[Live]:
    """A server with short time limits and few connections."""
    timeouts = Timeouts(header=0.3, body=0.3, idle=0.3, reading=0.3)
    with start_server(limits={"connections": 8, "followers": 2}, timeouts=timeouts) as server:
        yield server


def connect(server: Live, sent: bytes = b"") -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=20)
    client.sendall(sent)
    return client


def answer(client: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("sent", [b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_header_that_does_not_come_closes_the_connection(hurried: Live, sent: bytes):
    with connect(hurried, sent) as client:
        assert answer(client).startswith(b"HTTP/1.1 408 ")


def test_a_header_in_drops_does_not_hold_the_connection(hurried: Live):
    with connect(hurried, b"GET /healthz HTTP/1.1\r\n") as client:

        def drip() -> bool:
            try:
                client.sendall(b"X-A: b\r\n")
            except OSError:
                return True
            return False

        assert wait_for(drip)


def test_a_body_that_does_not_come_closes_the_connection_and_makes_no_job(hurried: Live):
    with connect(hurried, HEADER + b'Content-Length: 100\r\n\r\n{"prompt": "a cat"}') as client:
        assert answer(client).startswith(b"HTTP/1.1 408 ")
    assert not hurried.engine._active


def test_half_a_body_and_a_closed_connection_make_no_job(live: Live):
    with connect(live, HEADER + b'Content-Length: 100\r\n\r\n{"prompt": "a cat"}') as client:
        client.shutdown(socket.SHUT_WR)
        answer(client)
    assert not live.engine._active
    assert live.http.get("/healthz").status_code == 200


def test_an_idle_connection_is_closed_after_its_answer(hurried: Live):
    with connect(hurried, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") as client:
        assert answer(client).endswith(b'{"status":"ok"}')


def test_half_open_connections_do_not_keep_others_out(hurried: Live):
    opened = [connect(hurried, b"GET /he") for _ in range(40)]
    try:
        with httpx.Client(base_url=hurried.url) as client:
            for _ in range(3):
                assert client.get("/healthz").status_code == 200
    finally:
        for each in opened:
            each.close()


def test_one_who_does_not_read_his_answers_is_closed(hurried: Live):
    def unread() -> bool:
        return any(each.flow.write_paused for each in list(hurried.uvicorn.server_state.connections))  # type: ignore[union-attr]

    asked = 400
    with connect(hurried) as client:
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * asked)
        wait_for(unread)
        wait_for(lambda: not unread())
        assert answer(client).count(b"HTTP/1.1 200") < asked


def test_more_followers_than_may_are_refused_and_the_others_go_on(hurried: Live):
    job = hurried.start(steps=900)["id"]
    follow = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with connect(hurried, follow) as first, connect(hurried, follow) as second:
        assert first.recv(100).startswith(b"HTTP/1.1 200 ")
        assert second.recv(100).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: (found := hurried.engine.find(job)) is not None and found.events.followers == 2)
        refused = hurried.http.get(f"/v1/jobs/{job}/events")
        waiting = hurried.http.post("/v1/images/generations", json={"prompt": "a cat"})
        assert (refused.status_code, waiting.status_code) == (429, 429)
        assert refused.json()["error"]["code"] == "too_many_followers"
        assert refused.headers["Retry-After"] == "5"
    hurried.cancel(job)


def test_of_many_that_follow_at_once_no_more_than_may_do(start_server: Start):
    with start_server(limits={"followers": 2}) as server:
        job = server.start(steps=900)["id"]
        follow = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        clients = [connect(server) for _ in range(20)]
        for client in clients:
            client.sendall(follow)
        statuses = [client.recv(12) for client in clients]
        assert statuses.count(b"HTTP/1.1 200") == 2
        for client in clients:
            client.close()
        wait_for(lambda: (found := server.engine.find(job)) is not None and not found.events.followers)


def test_where_all_connections_are_being_answered_one_more_is_told_so(start_server: Start):
    with start_server(limits={"connections": 2}) as server:
        job = server.start(steps=900)["id"]
        server.http.close()
        follow = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with connect(server, follow) as first, connect(server, follow) as second:
            assert first.recv(100).startswith(b"HTTP/1.1 200 ")
            assert second.recv(100).startswith(b"HTTP/1.1 200 ")
            with connect(server) as third:
                assert answer(third).startswith(b"HTTP/1.1 503 ")


def test_connections_that_cannot_be_accepted_are_logged_once(caplog: pytest.LogCaptureFixture):
    others: list[object] = []
    loop = SimpleNamespace(time=lambda: 0.0, default_exception_handler=others.append)
    handle = AcceptErrors()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            handle(loop, {"message": "out of system resource", "exception": OSError(24, "Too many"), "socket": 1})  # type: ignore[arg-type]
    assert len(caplog.records) == 1
    handle(loop, {"message": "another", "exception": ValueError()})  # type: ignore[arg-type]
    assert len(others) == 1


def test_the_limit_of_open_files_is_raised_to_what_the_connections_need():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        allow_open_files(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 100 + SPARE_FILES
        allow_open_files(10)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 100 + SPARE_FILES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
