"""F35 without a restart: what a page and an API call answer while the database refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from apps.core import clock
from tests.support import factories

PAGE = reverse("events:event-list")
ERRORS = [
    OperationalError("server closed the connection unexpectedly"),
    InterfaceError("connection is closed"),
]


@pytest.fixture
def reviewer(db: None) -> Client:
    """Somebody logged in; a 500 is answered, not raised."""
    client = Client(raise_request_exception=False, headers={"accept-language": "en"})
    user = factories.user(factories.organisation(), ("event_reviewer",))
    client.force_login(user)
    return client


@pytest.mark.parametrize("error", ERRORS, ids=["operational", "interface"])
@pytest.mark.parametrize("path", [PAGE, "/api/v1/events"], ids=["page", "api"])
def test_f35_no_database_is_503_with_a_hint_when_to_come_again(
    reviewer: Client, monkeypatch: pytest.MonkeyPatch, path: str, error: Exception
) -> None:
    from apps.events.querysets import EventQuerySet

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(EventQuerySet, "visible_to", fail)
    answer = reviewer.get(path)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    if path.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "database_unavailable"
        assert answer.json()["error_id"]
    else:
        assert "The database is away" in answer.content.decode()


def test_f35_the_session_of_a_caller_may_be_what_cannot_be_read(
    reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.sessions.backends.db import SessionStore

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise ERRORS[0]

    monkeypatch.setattr(SessionStore, "_get_session_from_db", fail)
    answer = reviewer.get(PAGE)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_f35_another_defect_is_still_a_500(reviewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.events.querysets import EventQuerySet

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError(f"a defect at {clock.now()}")

    monkeypatch.setattr(EventQuerySet, "visible_to", fail)
    assert reviewer.get(PAGE).status_code == 500
