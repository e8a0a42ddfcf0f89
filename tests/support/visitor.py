"""A person at the page: a tab of a real Chromium, and what one does in it."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect, sync_playwright

SECONDS = 60
"""What anything may take on a machine that does much else besides."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a Chromium, or skip the test where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("SEMGUIDE_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium found: set SEMGUIDE_CHROMIUM to one")
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at the page.

    Attributes:
        page: The tab.
        url: Where the server is.
        requests: Everything that was asked for.
        complaints: Errors of the console and of scripts.
    """

    page: Page
    url: str
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def enter(cls, context: BrowserContext, url: str) -> Visitor:
        """Open a tab; nothing is loaded yet."""
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        visitor = cls(page, url)
        page.on("request", lambda request: visitor.requests.append(request))  # noqa: PLW0108 - no built-ins
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("console", lambda m: visitor.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        return visitor

    def open(self, fragment: str = "") -> None:
        """Load the page, and wait until it can be used."""
        self.page.goto(f"{self.url}/{fragment}")
        expect(self.page.locator("#sliders .field")).not_to_have_count(0)

    def leave(self) -> None:
        """Close the tab, before its server is gone."""
        self.page.close()

    def type(self, prompt: str) -> None:
        """Replace the prompt, key by key."""
        self.page.click("#prompt")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(prompt)

    def set(self, **numbers: float) -> None:
        """Set numbers by their labels, in which `_` stands for a space."""
        for label, value in numbers.items():
            self.page.get_by_role("spinbutton", name=label.replace("_", " "), exact=True).fill(str(value))

    def seed(self, text: str) -> None:
        """Type a seed, or a list of seeds."""
        self.page.get_by_role("textbox", name="Seed", exact=True).fill(text)

    def expect_chips(self, *texts: str) -> None:
        """Wait until exactly these concepts are there, muted ones too."""
        expect(self.page.locator(".chip .text")).to_have_text(list(texts))

    def chip(self, text: str, button: str) -> None:
        """Press a button of a chip: Edit, Mute or Remove."""
        self.page.get_by_role("button", name=f"{button} concept {text}", exact=True).click()

    def generate(self) -> None:
        """Press the button, and wait until all is made."""
        self.page.click("#generate")
        self.expect_end()

    def expect_end(self, words: str = "pictures? in") -> None:
        """Wait until a run has ended, with these words in its state."""
        expect(self.page.locator("#generate")).to_have_text("Generate")
        expect(self.page.locator("#status")).to_have_text(re.compile(words))
        expect(self.page.locator("#tools")).to_be_visible()

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the jobs that were asked for."""
        jobs = [request for request in self.requests if request.method == "POST" and request.url.endswith("/v1/jobs")]
        return [request.post_data_json or {} for request in jobs]

    def pictures(self) -> list[bytes]:
        """The files of the finished pictures, downloaded one by one, a row for each method."""
        return [self.download(link) for link in self.page.locator(".save:visible").all()]

    def pixels(self) -> list[bytes]:
        """The pixels of the finished pictures; the files also tell how long they took."""
        return [Image.open(io.BytesIO(file)).tobytes() for file in self.pictures()]

    def download(self, link: Locator) -> bytes:
        """Click on something that downloads a file; its content."""
        with self.page.expect_download() as download:
            link.click()
        return Path(download.value.path()).read_bytes()
