"""Settings and limits of a server, checked before anything is loaded. No torch."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields

from semguide.errors import InvalidArgument
from semguide.server.hosts import normalize_host

SHORTEST_KEY = 16
KEY_VARIABLE = "SEMGUIDE_API_KEY"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


def check_at_least_one(name: str, value: int) -> None:
    """Check that a number is at least 1.

    Raises:
        InvalidArgument: It is not.
    """
    if value < 1:
        raise InvalidArgument(name, "must be at least 1", value, "leave it out")


@dataclass(frozen=True)
class Limits:
    """Limits of a request and of what the server holds; whole numbers, >= 1.

    Attributes:
        prompt_length: Characters of a prompt or negative prompt.
        concepts: Concepts of an image: the most that are given by hand, and the most that `max_concepts` may be.
        concept_length: Characters of a concept.
        images: Images of a request, all methods together.
        retries: Seeds that may be tried besides an image's own.
        steps: Denoising steps of an image.
        frames: Frames of a video.
        side: Height and width of an image, pixels.
        queue: Queued jobs.
        connections: Connections; one more takes the place of one that has sent no whole request.
        followers: Clients that wait for a job's end or follow its events, of all jobs together.
        body: Bytes of a request's body.
        kept: Finished jobs kept for download; the oldest expires first.
        kept_bytes: Bytes of their images.
    """

    prompt_length: int = 1000
    concepts: int = 8
    concept_length: int = 200
    images: int = 16
    retries: int = 8
    steps: int = 100
    frames: int = 161
    side: int = 1024
    queue: int = 16
    connections: int = 256
    followers: int = 64
    body: int = 64 * 1024
    kept: int = 64
    kept_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            check_at_least_one(field.name, getattr(self, field.name))


@dataclass(frozen=True)
class Timeouts:
    """How long a connection may take, seconds, > 0.

    Attributes:
        header: For the header of a request, from the connection or the end of the previous answer.
        body: For the body of a request.
        idle: Without a byte after an answer.
        reading: Between two looks at whether the client reads its answer, `SLOWEST_READER` bytes a second or all.
    """

    header: float = 10.0
    body: float = 30.0
    idle: float = 5.0
    reading: float = 20.0


@dataclass(frozen=True)
class ServerSettings:
    """How a server runs.

    Attributes:
        host: Address to listen at; any but loopback needs a key.
        port: Port, 0 to 65535; 0 takes a free one.
        api_key: Key that clients send as `Authorization: Bearer KEY`; None: no key is needed.
        allowed_hosts: Further accepted values of the `Host` header.
        batch: Most images in one pipeline call, >= 1; at 1 they equal the command line's bit for bit.
        grace: Seconds that running jobs get to finish after SIGTERM, > 0.
        limits: Limits of a request and of what is kept.
        timeouts: Time limits of a connection.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    batch: int = 1
    grace: float = 300.0
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InvalidArgument("port", "must be from 0 to 65535", self.port, "try 8000")
        if not self.grace > 0:
            raise InvalidArgument("grace", "must be more than 0 seconds", self.grace, "try 300")
        check_at_least_one("batch", self.batch)
        if self.api_key is not None and (len(self.api_key) < SHORTEST_KEY or not self.api_key.isascii()):
            raise InvalidArgument(
                "api_key",
                f"(or {KEY_VARIABLE}) must be {SHORTEST_KEY} ASCII characters or more",
                remedy="make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        if not self.local and self.api_key is None:
            raise InvalidArgument(
                "host",
                "must be a loopback address such as 127.0.0.1 where there is no key",
                self.host,
                f"give {{api_key}} or set {KEY_VARIABLE}",
            )

    @property
    def local(self) -> bool:
        """Whether the server listens at a loopback address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str] | None:
        """Accepted names in the `Host` header, as `normalize_host` writes them; None: any."""
        if not self.local:
            return frozenset(map(normalize_host, self.allowed_hosts)) or None
        return frozenset(map(normalize_host, (*LOCAL_NAMES, self.host, *self.allowed_hosts)))
