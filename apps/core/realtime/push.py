"""From the outbox to open pages: the relay numbers a push, stores it, and publishes it once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.core import clock, outbox
from apps.core.models import OutboxMessage, PermissionEpoch, Push
from apps.core.wake import client

logger = logging.getLogger(__name__)
#: Advisory lock of the transaction that gives out numbers ("push").
NUMBERING_LOCK = 0x70757368
NOTES_PER_MESSAGE = 100


def push_channel() -> str:
    """The Redis channel of numbered pushes: a name of its own for each database, since the numbers are its own."""
    return f"vantage:push:{connection.settings_dict['NAME']}"


def epoch_channel() -> str:
    """The Redis channel on which a change of rights is announced."""
    return f"vantage:epoch:{connection.settings_dict['NAME']}"


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


@dataclass(frozen=True, slots=True)
class Note:
    """A numbered push on its way to pages: who may hear it, and the encoded message (ASCII JSON)."""

    seq: int
    topics: Sequence[str]
    text: str


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


def note_of(row: Push) -> Note:
    """Encoded once, whoever hears it. ASCII, so that a server turns it into bytes by copying."""
    return Note(row.seq, row.topics, json.dumps(wire(row), separators=(",", ":")))


def written_notes(notes: Sequence[Note]) -> list[str]:
    """Messages for the channel, at most NOTES_PER_MESSAGE in each: a line `[seq, topics]` and a line of text a note."""
    lines = [f"{json.dumps([note.seq, list(note.topics)])}\n{note.text}" for note in notes]
    parts = range(0, len(lines), NOTES_PER_MESSAGE)
    return ["\n".join(lines[start : start + NOTES_PER_MESSAGE]) for start in parts]


def read_notes(data: bytes) -> list[Note]:
    """What `written_notes` wrote: the texts themselves are not parsed."""
    lines = data.decode("ascii").split("\n")
    heads = [json.loads(head) for head in lines[::2]]
    return [Note(seq, topics, text) for (seq, topics), text in zip(heads, lines[1::2], strict=True)]


def newest_seq() -> int:
    """The number of the last push; 0 before the first."""
    return Push.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def stored_notes(
    after: int, limit: int, before: int | None = None, topics: Iterable[str] | None = None
) -> list[Note]:
    """Pushes `after` < seq < `before` in order, only those of these audiences where `topics` is given."""
    rows = _between(after, before, topics).order_by("seq")
    return [note_of(row) for row in rows[:limit]]


def has_more_than(limit: int, after: int, before: int, topics: Iterable[str]) -> bool:
    """Whether these audiences were told more than `limit` pushes in between."""
    return before - after > limit and _between(after, before, topics)[limit : limit + 1].exists()


def _between(after: int, before: int | None, topics: Iterable[str] | None) -> QuerySet[Push]:
    rows = Push.objects.filter(seq__gt=after)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    return rows if topics is None else rows.filter(topics__overlap=sorted(topics))


def publish_pushes(batch: list[OutboxMessage]) -> None:
    """Outbox handler: rows get their `seq` in order of id; a repeated message keeps the one it has.

    One transaction numbers at a time, so that numbers become visible in their order: who has read up to `seq` never
    finds a lower one later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])
    ordered = sorted(batch, key=lambda item: item.id)
    Push.objects.bulk_create((_row(message) for message in ordered), ignore_conflicts=True)
    rows = Push.objects.filter(message__in=[message.id for message in ordered]).order_by("seq")
    written = written_notes([note_of(row) for row in rows])
    transaction.on_commit(lambda: _publish(written), robust=True)


def _row(message: OutboxMessage) -> Push:
    payload = message.payload
    return Push(
        message=message.id,
        topics=payload["topics"],
        kind=payload["kind"],
        object_id=payload["object"],
        summary=payload["summary"],
        at=payload["at"],
    )


def _publish(written: list[str]) -> None:
    try:
        pipe, channel = client().pipeline(transaction=False), push_channel()
        for text in written:
            pipe.publish(channel, text)
        pipe.execute()
    except Exception as error:  # each web process reads the table every 2 s
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
        client().publish(epoch_channel(), b"1")
    except Exception as error:
        logger.warning("epoch not published: %s", type(error).__name__)


def epoch() -> int:
    """The present epoch."""
    return PermissionEpoch.objects.filter(pk=1).values_list("value", flat=True).first() or 0
