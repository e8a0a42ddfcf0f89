import pytest

from semguide.server.hosts import parse_host, same_origin


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("localhost", ("localhost", None)),
        ("Example.COM.:8000", ("example.com", 8000)),
        ("[::0001]:9", ("[::1]", 9)),
        ("127.0.0.1:", ("127.0.0.1", None)),
    ],
)
def test_name_and_port_are_told_apart_and_written_in_one_way(host: str, found: tuple[str, int | None]):
    assert parse_host(host) == found


@pytest.mark.parametrize(
    "host", ["", ":80", "::1", "a:b", "a:1:2", "a:65536", "user@a", "a/b", "a?b", "a b", "[a]", "é"]
)
def test_what_no_url_has_as_its_host_is_none(host: str):
    assert parse_host(host) is None


@pytest.mark.parametrize("origin", ["http://a:80", "http://A", "https://a:80"])
def test_a_port_left_out_is_the_one_of_the_scheme(origin: str):
    assert same_origin(origin, ("a", 80))


@pytest.mark.parametrize("origin", ["", "null", "http://a:81", "https://a", "ftp://a:80", "http://b:80", "http://["])
def test_another_origin_is_another(origin: str):
    assert not same_origin(origin, ("a", 80))
    assert not same_origin("http://a", None)
