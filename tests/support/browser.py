"""Debian's Chromium under Playwright: pages that remember what they complained of."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`violation of ${event.violatedDirective} by ${event.blockedURI} in ${event.sourceFile}`));
"""


def available() -> str:
    """'' where Chromium can run, otherwise the reason for skipping."""
    return "" if CHROMIUM.exists() else "Debian's chromium is not installed"


class Watched:
    """A page with its complaints (console errors, violations, exceptions) and every address it asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.add_init_script(LISTEN)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))

    def _on_console(self, message: Any) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def log_in(self, site: str, username: str, password: str) -> None:
        """Through the real form, in whatever language it is."""
        self.page.goto(f"{site}/login/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_selector("[data-controller~=live-socket]", state="attached")


@contextlib.contextmanager
def chromium(*, width: int = 1366, height: int = 768, locale: str = "zh-CN") -> Iterator[Watched]:
    """One page of a fresh browser; its loop shares the thread with Django's synchronous queries."""
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
            context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
            context.set_default_timeout(60_000)  # milliseconds; a wait that is met ends at once
            yield Watched(context.new_page())
            browser.close()
    finally:
        if before is None:
            os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before
