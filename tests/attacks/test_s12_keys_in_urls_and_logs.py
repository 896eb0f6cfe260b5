"""S12: an API key in a URL is refused, and no log line ever holds one."""

from __future__ import annotations

import io
import logging

import pytest
from django.test import Client

from apps.core.logs import JsonFormatter, SecretFilter
from tests.openapi import builders

PATHS = ("/api/v1/subscriptions", "/api/v1/events", "/api/v1/nowhere")


@pytest.fixture
def logged() -> io.StringIO:
    """What the site's own handler writes, of every logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(SecretFilter())
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream  # type: ignore[misc]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "q", "x[]"])
def test_s12_a_key_in_the_query_is_refused(name: str) -> None:
    text = builders.key(None, "subscriptions:read").text
    answer = Client().get(PATHS[0], {name: text})
    assert answer.status_code == 401
    assert text not in answer.content.decode()
    good = Client().get(PATHS[0], {name: text}, headers={"authorization": f"Bearer {text}"})
    assert good.status_code == 401, "even beside a good header: the key is in somebody's log by now"


@pytest.mark.django_db
def test_s12_no_log_line_holds_a_key(logged: io.StringIO) -> None:
    text = builders.key(None, "subscriptions:read").text
    client = Client(raise_request_exception=False)
    for path in PATHS:
        client.get(path, {"key": text})
        client.get(path, headers={"authorization": f"Bearer {text}"})
        client.get(path, headers={"authorization": f"Bearer {text}x"})
        logging.getLogger("django.request").error("GET %s?key=%s failed", path, text)
        logging.getLogger("anything").warning("headers: %r", {"Authorization": f"Bearer {text}"})
    try:
        raise ValueError(f"cannot use {text}")
    except ValueError:
        logging.getLogger("anything").exception("failed with %s", text)
    written = logged.getvalue()
    assert written.count("\n") >= 2 * len(PATHS) + 1
    secret = text.split("_", 2)[2]
    assert secret not in written
