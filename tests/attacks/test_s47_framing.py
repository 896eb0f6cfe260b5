"""S47: no page can be framed by another site."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support import factories

PATHS = (
    "/", "/overview/", "/login/", "/events/live/", "/devices/map/", "/openapi/subscriptions/", "/api/v1/docs",
    "/api/v1/events", "/healthz", "/nowhere/",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "officer"])
def test_s47_every_answer_forbids_framing(who: str) -> None:
    client: Any = Client(raise_request_exception=False)
    if who == "officer":
        client.force_login(factories.user())
    for path in PATHS:
        answer = client.get(path)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], path
        assert answer["X-Frame-Options"] == "DENY", path
