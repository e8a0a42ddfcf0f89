"""Names in the headers `Host` and `Origin`, read as URLs are."""

from __future__ import annotations

import ipaddress
import re

DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\])(?::(?P<port>[0-9]{0,5}))?")


def normalize_host(name: str) -> str:
    """Return the one spelling of a host name or address: lower case, no closing dot, IPv6 shortened and in brackets."""
    name = name.lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name
    return f"[{address}]" if address.version == 6 else str(address)


def parse_host(host: str) -> tuple[str, int | None] | None:
    """Return name and port of a `Host` header, None for a port that is not given; None for what is no host."""
    found = _AUTHORITY.fullmatch(host)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    return None if port is not None and port > 65535 else (normalize_host(found["name"]), port)


def same_origin(origin: str, host: tuple[str, int | None] | None) -> bool:
    """Return whether an `Origin` header names the server that a `Host` header names."""
    scheme, separator, authority = origin.partition("://")
    found = parse_host(authority)
    if host is None or found is None or not separator or scheme not in DEFAULT_PORTS:
        return False
    default = DEFAULT_PORTS[scheme]
    return (found[0], found[1] or default) == (host[0], host[1] or default)
