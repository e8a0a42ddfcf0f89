"""A browser, a server, and people who come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the browser tests need playwright")
from playwright.sync_api import Browser

from support.live_server import Live
from support.visitor import Visitor, chromium

Enter = Callable[..., Visitor]
FAILED_LOAD = "Failed to load resource"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(start_server: Any) -> Iterator[Live]:
    with start_server(limits={"images": 8}) as server:
        yield server


@pytest.fixture
def enter(browser: Browser, site: Live) -> Iterator[Enter]:
    """Let somebody in. At the end: no request left the server, and nothing complained unless it was foreseen."""
    visitors: list[tuple[Visitor, bool]] = []

    def enter(fragment: str = "", *, url: str | None = None, complains: bool = False, **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        visitor = Visitor.enter(context, url or site.url)
        visitors.append((visitor, complains))
        visitor.open(fragment)
        return visitor

    yield enter
    for visitor, complains in visitors:
        visitor.page.context.close()
        addresses = [request.url for request in visitor.requests]
        assert [a for a in addresses if not a.startswith((visitor.url, "blob:", "data:", "about:"))] == []
        assert [c for c in visitor.complaints if not (complains and FAILED_LOAD in c)] == []


@pytest.fixture
def visitor(enter: Enter) -> Visitor:
    return enter()
