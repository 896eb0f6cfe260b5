"""Looks and purposes: what tests of pages need of them."""

from __future__ import annotations

from django.test import Client

from apps.core import outbox
from apps.core.models import OutboxMessage


def state_purpose(client: Client) -> Client:
    """The session states a purpose, as a person does once on the page that asks."""
    session = client.session
    session["purpose"] = {"purpose": "event", "case": "", "words": ""}
    session.save()
    return client


def chain_notes() -> None:
    """What the relay does within a second: notes become audit records."""
    batch = list(OutboxMessage.objects.filter(topic="audit").order_by("id"))
    outbox.handlers.get("audit")(batch)
    OutboxMessage.objects.filter(pk__in=[message.pk for message in batch]).delete()
