"""Apps, subscriptions and events for the tests of this room."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM, Principal
from apps.core import clock
from apps.core.ids import uuid7
from apps.devices.models import Camera
from apps.events.models import Event
from apps.openapi.models import App
from apps.openapi.services import NewKey, NewSubscription, create_api_key, create_subscription, register_app
from tests.support import factories
from workers.delivery import DeliveryProcess

ALL_KINDS = ("raised", "updated", "ended", "reviewed")


def app(organisation: Organisation | None = None, name: str = "") -> App:
    """An App of `organisation`."""
    home = organisation or factories.organisation()
    return register_app(by=SYSTEM, organisation=home, name=name or f"app {uuid7()}")


def key(app_: App | None = None, *scopes: str, **fields: Any) -> NewKey:
    """A key of the App with these scopes."""
    return create_api_key(by=SYSTEM, app=app_ or app(), scopes=scopes or ["events:read"], **fields)


def subscription(app_: App, endpoint: str, **fields: Any) -> NewSubscription:
    """A subscription of `app_` to all kinds of messages."""
    values: dict[str, Any] = {"name": "hook", "kinds": ALL_KINDS, **fields}
    return create_subscription(by=SYSTEM, app=app_, endpoint=endpoint, **values)


def event(camera: Camera | None = None, *, policy: str = "direct", **fields: Any) -> Event:
    """An event on `camera`, of a type with this review policy."""
    now = clock.now()
    kind = fields.pop("event_type", None) or factories.event_type(review_policy=policy)
    values: dict[str, Any] = {
        "event_type": kind,
        "level": "general",
        "camera": camera or factories.camera(),
        "time": now,
        "first_seen": now,
        "last_seen": now,
        "open_until": now + timedelta(minutes=1),
        "expires_at": now + timedelta(days=1),
        "targets": [
            {"label": "bag", "score": 0.91, "box": [0.1, 0.2, 0.3, 0.4], "track": None, "attributes": {}}
        ],
        "score": 0.91,
        "algorithm_version": factories.algorithm_version(kind=kind),
        "raw_event_id": uuid7(),
        "review_state": "not_required" if policy == "direct" else "pending",
        **fields,
    }
    return Event.objects.create(**values)


def officer(organisation: Organisation) -> Principal:
    """Somebody of `organisation` who may manage apps."""
    return factories.principal(organisation, ("developer",))


def deliver() -> int:
    """One round of the sending process over everything that is due; returns the attempts made."""

    async def once() -> int:
        async with DeliveryProcess() as process:
            return await process.step()

    return asyncio.run(once())
