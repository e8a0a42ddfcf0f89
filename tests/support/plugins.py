"""Stand-ins for what other packages add through entry points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from semguide import plugins

Install = Callable[..., None]


@dataclass(frozen=True)
class Entry:
    """An entry point that leads to a thing, or to the error of importing it."""

    thing: Any

    module, dist = "toys", None

    def load(self) -> Any:
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Replace what a group offers: `installed("semguide.models", toy=EmbeddedModel(...))`; nothing for an empty one."""

    def install(group: str, **things: Any) -> None:
        others = plugins._found
        found = {name.replace("_", "-"): Entry(thing) for name, thing in sorted(things.items())}
        monkeypatch.setattr(plugins, "_found", lambda asked: found if asked == group else others(asked))

    return install
