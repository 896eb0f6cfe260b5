"""From the outbox to open pages: the relay numbers a push, stores it, and publishes it once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core import clock, outbox
from apps.core.models import OutboxMessage, PermissionEpoch, Push
from apps.core.wake import client

logger = logging.getLogger(__name__)
PUSH_CHANNEL = "vantage:push"
EPOCH_CHANNEL = "vantage:epoch"


def push(kind: str, object_id: UUID, summary: dict[str, Any], topics: Iterable[str]) -> None:
    """Tell open pages, after commit, that something happened. `topics` are the audiences that may hear it.

    A page hears it when it holds one of the topics: `m:<managing organisation>`, `c:<camera>`,
    `o:<organisation served>`, `s:<camera>:<event type>`, `u:<user>`.
    """
    outbox.write(
        "push",
        {
            "kind": kind,
            "object": str(object_id),
            "summary": summary,
            "topics": sorted(set(topics)),
            "at": clock.now().isoformat(),
        },
        key=str(object_id),
    )


def wire(row: Push) -> dict[str, Any]:
    """The message as a page gets it: kind `event.raised` becomes topic `events`, kind `raised`."""
    topic, _dot, kind = row.kind.partition(".")
    return {
        "seq": row.seq,
        "topic": f"{topic}s",
        "kind": kind,
        "object": str(row.object_id),
        "summary": row.summary,
        "at": row.at.isoformat(),
    }


def publish_pushes(batch: list[OutboxMessage]) -> None:
    """Outbox handler: rows get their `seq` in order of id; a repeated message keeps the one it has."""
    rows = []
    for message in sorted(batch, key=lambda item: item.id):
        payload = message.payload
        row, made = Push.objects.get_or_create(
            message=message.id,
            defaults={
                "topics": payload["topics"],
                "kind": payload["kind"],
                "object_id": payload["object"],
                "summary": payload["summary"],
                "at": payload["at"],
            },
        )
        if made:
            row.refresh_from_db(fields=["at"])
        rows.append(row)
    frames = [json.dumps({"topics": row.topics, "push": wire(row)}, ensure_ascii=False) for row in rows]
    transaction.on_commit(lambda: _publish(frames), robust=True)


def _publish(frames: list[str]) -> None:
    try:
        pipe = client().pipeline(transaction=False)
        for frame in frames:
            pipe.publish(PUSH_CHANNEL, frame)
        pipe.execute()
    except Exception as error:  # pages notice the gap in `seq` and resume from the table
        logger.warning("push not published: %s", type(error).__name__)


def bump_epoch() -> None:
    """Rights changed: every open socket rebuilds its topics (at once by message, within 2 s by polling)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_permissionepoch (id, value) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET value = core_permissionepoch.value + 1"
        )
    transaction.on_commit(lambda: _publish_epoch(), robust=True)


def _publish_epoch() -> None:
    try:
        client().publish(EPOCH_CHANNEL, b"1")
    except Exception as error:
        logger.warning("epoch not published: %s", type(error).__name__)


def epoch() -> int:
    """The present epoch."""
    return PermissionEpoch.objects.filter(pk=1).values_list("value", flat=True).first() or 0
