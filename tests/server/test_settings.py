import pytest

from semguide.server.settings import Limits, ServerSettings
from support.refusals import refuses

KEY = "a-key-of-some-length"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_key(host: str):
    settings = ServerSettings(host=host, allowed_hosts=("Box.local",))
    assert settings.local
    assert settings.hosts is not None
    assert {"localhost", "box.local", f"[{host}]" if ":" in host else host} <= settings.hosts


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org"])
def test_anything_else_needs_one(host: str):
    with refuses("host", "must be a loopback address"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, api_key=KEY).hosts is None
    assert ServerSettings(host=host, api_key=KEY, allowed_hosts=("My.name",)).hosts == {"my.name"}


@pytest.mark.parametrize("key", ["", "short", "ü" * 20])
def test_a_key_that_is_easily_guessed_is_refused(key: str):
    with refuses("api_key") as caught:
        ServerSettings(api_key=key)
    assert key == "" or key not in str(caught.value)


@pytest.mark.parametrize("name", list(Limits.__dataclass_fields__))
def test_every_limit_is_at_least_one(name: str):
    with refuses(name, "must be at least 1", 0):
        Limits(**{name: 0})
