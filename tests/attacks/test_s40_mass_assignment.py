"""S40: a field that a serializer does not name as writable is answered with 400, in every room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import get_resolver
from rest_framework import serializers

from tests.openapi import builders

EVIL = {
    "is_staff": True, "is_superuser": True, "status": "delivered", "state": "active", "organisation_id": "x",
    "bureau_id": "x", "secrets": [], "id": "x", "pk": 1, "_connector": "OR", "__class__": "x",
}  # fmt: skip


def _subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def room_serializers() -> list[type[serializers.Serializer]]:
    """Every serializer of our rooms that the URL conf brings in."""
    _ = get_resolver().url_patterns
    found = {
        one
        for one in _subclasses(serializers.Serializer)
        if one.__module__.startswith("apps.") and one.__module__ != "apps.core.rest"
    }
    return sorted(found, key=lambda one: f"{one.__module__}.{one.__qualname__}")


@pytest.mark.django_db
def test_s40_every_serializer_refuses_unknown_and_read_only_fields() -> None:
    found = room_serializers()
    assert len(found) >= 10
    for kind in found:
        serializer = kind(data={})
        writable = {name for name, field in serializer.fields.items() if not field.read_only}
        read_only = set(serializer.fields) - writable
        for name in (set(EVIL) - writable) | read_only:
            attempt = kind(data={name: EVIL.get(name, "x")})
            assert not attempt.is_valid(), f"{kind.__module__}.{kind.__name__} accepts {name}"
            assert name in attempt.errors, f"{kind.__module__}.{kind.__name__} ignores {name}"


@pytest.mark.django_db
@pytest.mark.parametrize("field", sorted(EVIL))
def test_s40_answers_400_and_changes_nothing(outbound_exact: list[str], field: str) -> None:
    outbound_exact.append("127.0.0.1:9")
    app = builders.app()
    row = builders.subscription(app, "http://127.0.0.1:9/").subscription
    head = {"authorization": f"Bearer {builders.key(app, 'subscriptions:write', 'subscriptions:read').text}"}
    before = Client().get(f"/api/v1/subscriptions/{row.pk}", headers=head).json()
    answer = Client().patch(
        f"/api/v1/subscriptions/{row.pk}",
        data={"name": "new", field: EVIL[field]},
        content_type="application/json",
        headers=head,
    )
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert Client().get(f"/api/v1/subscriptions/{row.pk}", headers=head).json() == before
