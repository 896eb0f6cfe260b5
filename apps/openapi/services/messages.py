"""What a message says: CloudEvents 1.0, structured JSON (1.0.2 §3, extensions partitioning and tracing)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.core import clock
from apps.events.choices import Phase
from apps.events.models import Event
from apps.openapi.choices import MessageKind
from apps.openapi.models import Subscription
from apps.openapi.services.links import picture_links

TYPE_PREFIX = "cn.vantage.event"
_PHASES = {MessageKind.RAISED: Phase.NEW, MessageKind.ENDED: Phase.ENDED}


def build_message(
    *,
    subscription: Subscription,
    event: Event,
    kind: str,
    message: UUID,
    images: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """The document of one message, as the event is now. Times are RFC 3339 in UTC; boxes 0..1 of the full frame.

    `images` stands for the links of this subscription where they are known already.
    """
    code = event.event_type.code
    is_later = kind in {MessageKind.UPDATED, MessageKind.ENDED}
    links = picture_links(subscription, event) if images is None else images
    return envelope(
        message,
        f"{TYPE_PREFIX}.{code}.{kind}",
        subject=str(event.camera_id),
        time=event.last_seen if is_later else event.time,
        recorded=event.created_at,
        trace=event.raw_event_id,
        data={**_event_facts(event, kind), "images": links},
    )


def example_message(*, subscription: Subscription, message: UUID) -> dict[str, Any]:
    """A made-up message of the same shape for the test button; `data.test` is true and its ids name nothing."""
    now, nothing = clock.now(), UUID(int=0)
    moment = stamp(now)
    data = {
        "test": True,
        "event": str(nothing),
        "phase": Phase.NEW,
        "main_event": None,
        "occurrences": 1,
        "first_seen": moment,
        "last_seen": moment,
        "reported_at": moment,
        "expires_at": moment,
        "level": "general",
        "code": "test",
        "parent_code": None,
        "name": "测试消息",
        "code_maps": {},
        "camera": {
            "id": str(nothing), "code": "TEST", "name": "测试点位", "preset": 0, "lon": None, "lat": None,
            "address": "", "organisation": subscription.app.organisation.code, "region": None,
        },
        "task": None,
        "algorithm": None,
        "strategy": None,
        "targets": [
            {"label": "test", "score": 0.9, "box": [0.4, 0.4, 0.2, 0.2], "track": None, "attributes": {}}
        ],
        "images": [],
        "clip": None,
        "review": "not_required",
        "handling": None,
    }  # fmt: skip
    return envelope(
        message,
        f"{TYPE_PREFIX}.test.raised",
        subject=str(nothing),
        time=now,
        recorded=now,
        trace=message,
        data=data,
    )


def envelope(
    message: UUID,
    type_: str,
    *,
    subject: str,
    time: datetime,
    recorded: datetime,
    trace: UUID,
    data: dict[str, Any],
) -> dict[str, Any]:
    """The CloudEvents attributes around `data`; `traceparent` as in W3C Trace Context, made from the raw event."""
    return {
        "specversion": "1.0",
        "id": str(message),
        "source": f"/vantage/{settings.VANTAGE_SITE}",
        "type": type_,
        "subject": subject,
        "time": stamp(time),
        "recordedtime": stamp(recorded),
        "partitionkey": subject,
        "traceparent": f"00-{trace.hex}-{message.hex[-16:]}-01",
        "datacontenttype": "application/json",
        "data": data,
    }


def stamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event_facts(event: Event, kind: str) -> dict[str, Any]:
    """`data` without the pictures, whose links are each subscription's own."""
    kind_of_event = event.event_type
    return {
        "event": str(event.pk),
        "phase": Phase.ENDED if event.ended_at else _PHASES.get(kind, Phase.UPDATE),
        "main_event": None,
        "occurrences": event.occurrences,
        "first_seen": stamp(event.first_seen),
        "last_seen": stamp(event.last_seen),
        "reported_at": stamp(event.created_at),
        "expires_at": stamp(event.expires_at),
        "level": event.level,
        "code": kind_of_event.code,
        "parent_code": kind_of_event.parent.code if kind_of_event.parent else None,
        "name": kind_of_event.name_zh,
        "code_maps": {row.system: row.code for row in kind_of_event.code_maps.all()},
        "camera": _camera(event),
        "task": next(iter(event.explanation.get("tasks") or []), None),
        "algorithm": _algorithm(event),
        "strategy": _strategy(event),
        "targets": event.targets,
        "clip": None,
        "review": event.review_state,
        "handling": event.handling or None,
    }


def _camera(event: Event) -> dict[str, Any]:
    camera = event.camera
    primary = next((identity.code for identity in camera.identities.all() if identity.is_primary), None)
    return {
        "id": str(camera.pk),
        "code": primary,
        "name": camera.name,
        "preset": event.preset,
        "lon": camera.longitude,
        "lat": camera.latitude,
        "address": event.address or camera.address,
        "organisation": camera.managing_organisation.code,
        "region": camera.region.code if camera.region else None,
    }


def _algorithm(event: Event) -> dict[str, Any]:
    fingerprint = event.explanation.get("package")
    return {
        "id": event.algorithm_version.algorithm.slug,
        "version": event.algorithm_version.version,
        "package": f"sha256:{fingerprint}" if fingerprint else None,
    }


def _strategy(event: Event) -> dict[str, Any] | None:
    known = event.explanation
    if not known.get("strategy"):
        return None
    return {"id": known["strategy"], "version": known.get("strategy_version"), "trace": known.get("trace")}
