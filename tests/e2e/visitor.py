"""A person at a browser: finds the way by the rail, and every complaint of a page or server is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.urls import reverse
from django.utils import translation

from tests.support.browser import Watched, chromium

PATIENCE = 90_000.0  # milliseconds; a wait that is met ends at once


class Visitor:
    """One page in one language; `problems` must stay empty."""

    def __init__(self, watched: Watched, site: str, language: str) -> None:
        self.watched, self.page, self.site, self.language = watched, watched.page, site, language
        self.page.set_default_timeout(PATIENCE)
        self.page.on("response", self._on_response)

    @property
    def problems(self) -> list[str]:
        """Console errors, violations of the policy, exceptions, answers of 400 and above."""
        return self.watched.complaints

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} {response.request.method} {response.url}")

    def words(self, message: str) -> str:
        """The msgid in the visitor's language."""
        with translation.override(self.language):
            return translation.gettext(message)

    def open(self, name: str, *arguments: Any, query: str = "") -> Any:
        """Go to a page by its URL name; the answer must be good."""
        answer = self.page.goto(f"{self.site}{reverse(name, args=arguments)}{query}")
        assert answer.status == 200, f"{name} answered {answer.status}"
        return answer

    def log_in(self, username: str, password: str) -> None:
        """Choose the language on the door, then the real form; ends when the live socket is open."""
        self.page.goto(f"{self.site}/login/")
        self.page.locator(f".language button[value={self.language}]").click()
        self.page.wait_for_selector(f"html[lang={self.language}]")
        self.page.locator("#id_username").fill(username)
        self.page.locator("#id_password").fill(password)
        self.page.locator(".door-form button.btn-primary").click()
        self.page.wait_for_selector(".live-state[data-state=open]")

    def walk_to(self, area: str, name: str) -> None:
        """By the rail to the area of the page `area`, and from there by its link to the page `name`."""
        self.page.locator(f'nav.rail a.rail-link[href="{reverse(area)}"]').click()
        self.page.wait_for_url(f"**{reverse(area)}")
        if name != area:
            self.page.locator(f'.area-pages a[href="{reverse(name)}"]').click()
            self.page.wait_for_url(f"**{reverse(name)}")

    def submit(self) -> None:
        """The main button of the page's form."""
        self.page.locator("form.form-page button.btn-primary[type=submit]").click()

    def wait(self, expression: str, argument: Any = None) -> None:
        """Until the JavaScript expression is true."""
        self.page.wait_for_function(expression, arg=argument, timeout=PATIENCE)

    def picture_shows(self, selector: str) -> None:
        """A visible image that was really decoded."""
        self.page.wait_for_selector(selector)
        self.wait("(at) => document.querySelector(at).naturalWidth > 0", selector)


@contextmanager
def visitor(site: str, language: str, *, width: int = 1366, height: int = 768) -> Iterator[Visitor]:
    """A fresh browser of a person who speaks `language`."""
    locale = "zh-CN" if language.startswith("zh") else "en-GB"
    with chromium(width=width, height=height, locale=locale) as watched:
        yield Visitor(watched, site, language)
