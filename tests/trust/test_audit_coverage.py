"""Every login, look, download, decision, change and refused access is in the audit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.core.audit.middleware import NO_CHANGE
from apps.core.models import AuditRecord, OutboxMessage
from portal.audit_words import ACTION_WORDS
from tests.attacks import classes
from tests.attacks.test_s14_every_route import ROUTES, ask, undone, url_of, world  # noqa: F401
from tests.attacks.world import World
from tests.support import factories

ROOT = Path(__file__).resolve().parents[2]
RECORDED = re.compile(
    r"audit\.(?:record|note)\(\s*[\w.()\[\]]+,\s*\"([a-z_]+\.[a-z_]+)\"(?:\s+if\s+[^\"]+\s+else\s+\"([a-z_]+\.[a-z_]+)\")?"
)


def recorded_since(seq: int, messages: set[Any]) -> list[tuple[str, str]]:
    """(action, outcome) of records and of notes that wait to be chained."""
    rows = list(AuditRecord.objects.filter(seq__gt=seq).values_list("action", "outcome"))
    notes = OutboxMessage.objects.filter(topic="audit").exclude(pk__in=messages)
    return rows + [(note.payload["facts"]["action"], note.payload["facts"]["outcome"]) for note in notes]


def mark() -> tuple[int, set[Any]]:
    last = AuditRecord.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    return last, set(OutboxMessage.objects.filter(topic="audit").values_list("pk", flat=True))


@pytest.mark.parametrize("key", sorted(key for key, about in classes.OBJECT.items() if not about.empty))
def test_a_strangers_request_about_an_object_is_recorded_as_refused(key: str, undone: World) -> None:  # noqa: F811
    about = classes.OBJECT[key]
    url = url_of(key, about.identifiers(undone))
    client = undone.client("other")
    for method in ROUTES[key].methods:
        before = mark()
        if ask(client, method, url, about.data).status_code != 404:
            continue
        outcomes = [outcome for _action, outcome in recorded_since(*before)]
        assert outcomes == ["refused"], method


@pytest.mark.parametrize("key", sorted(set(classes.OBJECT) | set(classes.LOGIN)))
def test_a_change_that_worked_is_recorded(key: str, undone: World) -> None:  # noqa: F811
    about = classes.OBJECT.get(key)
    url = url_of(key, about.identifiers(undone) if about else {})
    client = undone.client("manager")
    for method in ROUTES[key].methods:
        if method == "get" or ROUTES[key].name.rpartition(":")[2] in NO_CHANGE:
            continue
        with transaction.atomic():
            before = mark()
            status = ask(client, method, url, about.data if about else None).status_code
            found = recorded_since(*before)
            transaction.set_rollback(True)
        if status < 400:
            assert found, (method, status)


LOOKS = {
    "devices:camera-snapshot": ("picture.view", {}),
    "events:event-export": ("event.export", {}),
    "devices:ledger-export": ("ledger.export", {}),
}


@pytest.mark.parametrize("key", LOOKS)
def test_a_look_and_a_download_are_recorded(key: str, undone: World) -> None:  # noqa: F811
    about = classes.OBJECT.get(key)
    before = mark()
    answer = undone.client("manager").get(url_of(key, about.identifiers(undone) if about else {}))
    assert answer.status_code == 200
    assert (LOOKS[key][0], "done") in recorded_since(*before)


@pytest.mark.django_db
def test_a_login_that_worked_and_one_that_failed_are_recorded() -> None:
    user = factories.user()
    for password, outcome in (("wrong", "refused"), (factories.PASSWORD, "done")):
        before = mark()
        Client().post(reverse("login"), {"username": user.username, "password": password})
        assert ("session.login", outcome) in recorded_since(*before)


def test_every_action_has_a_word() -> None:
    found = set()
    for folder in ("apps", "portal", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for match in RECORDED.finditer(path.read_text(encoding="utf-8")):
                found |= {name for name in match.groups() if name}
    assert len(found) > 50
    assert found - set(ACTION_WORDS) == set()
