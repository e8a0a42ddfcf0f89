"""What a server serves, to whom and how much of it; every value is checked before anything is loaded. No torch."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields

from semguide.errors import InvalidArgument

SHORTEST_KEY = 16
KEY_VARIABLE = "SEMGUIDE_API_KEY"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


def check_at_least_one(name: str, value: int) -> None:
    """Refuse a number below 1."""
    if value < 1:
        option = name.replace("_", "-")
        raise InvalidArgument(f"{name} (--{option}, --max-{option}) must be at least 1, got {value}; leave it out")


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and what the server holds; whole numbers, at least 1.

    Attributes:
        prompt_length: Characters of a prompt or negative prompt.
        concepts: Concepts of an image.
        concept_length: Characters of a concept.
        images: Images of a request, all methods together.
        steps: Denoising steps of an image.
        side: Height and width of an image, pixels.
        queue: Jobs that wait; one more is refused.
        body: Bytes of a request's body.
        kept: Finished jobs whose images are kept for download; the oldest is forgotten first.
        kept_bytes: Bytes that their images may take.
    """

    prompt_length: int = 1000
    concepts: int = 8
    concept_length: int = 200
    images: int = 16
    steps: int = 100
    side: int = 1024
    queue: int = 16
    body: int = 64 * 1024
    kept: int = 64
    kept_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            check_at_least_one(field.name, getattr(self, field.name))


@dataclass(frozen=True)
class ServerSettings:
    """How a server runs.

    Attributes:
        host: Address to listen at; other than loopback only with a key.
        port: Port, 0 to 65535; 0 takes a free one.
        api_key: What clients must send as `Authorization: Bearer KEY`; None: nothing.
        allowed_hosts: Further names of the `Host` header that are answered when the server listens at loopback.
        batch: Images of the same shape in one denoiser call; 1: each alone, equal to the bit to the command line's.
        grace: Seconds that running jobs get to finish after SIGTERM, > 0.
        limits: What a request may ask for.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    batch: int = 1
    grace: float = 300.0
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InvalidArgument(f"port (--port) must be from 0 to 65535, got {self.port}; try 8000")
        if not self.grace > 0:
            raise InvalidArgument(f"grace (--grace) must be more than 0 seconds, got {self.grace}; try 300")
        check_at_least_one("batch", self.batch)
        if self.api_key is not None and (len(self.api_key) < SHORTEST_KEY or not self.api_key.isascii()):
            raise InvalidArgument(
                f"api_key (--api-key or {KEY_VARIABLE}) must be {SHORTEST_KEY} ASCII characters or more, got "
                f"{len(self.api_key)} characters; make one with: python -c 'import secrets; "
                "print(secrets.token_urlsafe(32))'"
            )
        if not self.local and self.api_key is None:
            raise InvalidArgument(
                f"host (--host) must be a loopback address such as 127.0.0.1 where there is no key, got {self.host!r}; "
                f"give --api-key or set {KEY_VARIABLE}"
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str] | None:
        """The names in a `Host` header that are answered, in lower case; None: any, as only the key lets one in."""
        if not self.local:
            return frozenset(map(str.lower, self.allowed_hosts)) or None
        own = f"[{self.host}]" if ":" in self.host else self.host
        return frozenset(map(str.lower, (*LOCAL_NAMES, own, *self.allowed_hosts)))
