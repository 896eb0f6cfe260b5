"""The documentation page in a real browser, under the strict content security policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.support import factories

CHROMIUM = Path("/usr/bin/chromium")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
def test_swagger_lists_the_operations_without_a_violation(
    live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright runs a loop in this thread
    login = Client()
    login.force_login(factories.user(None, ("developer",)))
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies(
            [{"name": "sessionid", "value": login.cookies["sessionid"].value, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(live_server.url + reverse("api-docs"))
        page.locator(".opblock").first.wait_for(timeout=30_000)
        page.locator("#operations-subscriptions-subscriptions_create .opblock-summary").click()
        page.locator("#operations-subscriptions-subscriptions_create .opblock-body").wait_for()
        assert page.locator(".opblock").count() > 10
        browser.close()
    assert [text for text in said if "Content Security Policy" in text] == []
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {live_server.url.split("/")[2]}
