"""Adding to the chain: at once (`record`), or by way of the outbox where nothing may wait for the chain (`note`)."""

from __future__ import annotations

import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.core import clock, outbox
from apps.core.audit.context import OUTSIDE, request_context
from apps.core.crypto import provider
from apps.core.ids import key_id
from apps.core.models import AuditRecord, OutboxMessage

logger = logging.getLogger(__name__)
CHAIN_LOCK = 7_201
GENESIS = "0" * 64
TOPIC = "audit"
SESSION = "audit.session"
LATE = timedelta(seconds=5)
"""A session's note is closed so much later, so that a request that began within it still finds it."""


def canonical(record: AuditRecord) -> bytes:
    """What a record's keyed hash covers: everything but the hash."""
    fields = [
        record.seq,
        record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        record.actor_kind,
        record.actor_id,
        record.actor_name,
        record.organisation_id,
        record.organisation_name,
        record.action,
        record.outcome,
        record.object_kind,
        record.object_id,
        record.object_name,
        record.owner_id,
        record.address,
        record.request_id,
        record.detail,
        record.key_id,
        record.previous,
    ]
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _facts(
    principal: Any,
    action: str,
    target: Any,
    outcome: str,
    owner_id: object,
    name: str,
    detail: dict[str, Any],
) -> dict[str, Any]:
    context = request_context.get()
    if context is not OUTSIDE:
        context.recorded.append(action)
    return {
        "actor_kind": getattr(principal, "kind", "nobody"),
        "actor_id": str(getattr(principal, "id", "") or ""),
        "actor_name": str(getattr(principal, "name", ""))[:200],
        "organisation_id": str(getattr(principal, "organisation_id", "") or ""),
        "organisation_name": str(getattr(principal, "organisation_name", ""))[:200],
        "action": action,
        "outcome": outcome,
        "object_kind": target._meta.label_lower if target is not None else "",
        "object_id": str(target.pk) if target is not None else "",
        "object_name": (name or str(target or ""))[:300],
        "owner_id": str(owner_id or ""),
        "address": context.address[:64],
        "request_id": context.request_id[:64],
        "detail": json.loads(json.dumps(detail, default=str)),
    }


def record(
    principal: Any,
    action: str,
    target: Any = None,
    *,
    outcome: str = "done",
    owner_id: object = "",
    name: str = "",
    **detail: Any,
) -> AuditRecord:
    """Append one record in the caller's transaction. `owner_id` is the organisation whose ledger shows it.

    `action` is `<noun>.<verb>`; `detail` must hold no secret. Others who append wait for the caller's commit: for
    changes and decisions. What happens often (looks, refusals) goes by `note`.
    """
    facts = _facts(principal, action, target, outcome, owner_id, name, detail)
    with transaction.atomic():
        return _append([(clock.now(), facts)])[0]


def note(
    principal: Any,
    action: str,
    target: Any = None,
    *,
    outcome: str = "done",
    owner_id: object = "",
    name: str = "",
    session: int = 0,
    **detail: Any,
) -> None:
    """The same for what happens often: a row of the outbox in the caller's transaction, chained within about a second.

    Nobody waits for anybody. The row carries a keyed hash, so that a change of it before it is chained is seen.
    `session`, seconds: the same look of the same person again within the same so many seconds (a player that asks
    for picture after picture) is not noted anew; it extends a second note that says how many and since when, which is
    chained at the end of that time. So every look is in the audit, and the first one at once.
    """
    facts = _facts(principal, action, target, outcome, owner_id, name, detail)
    if not (session and _extended(facts, session)):
        outbox.write(TOPIC, _signed(facts))


def _signed(facts: dict[str, Any]) -> dict[str, Any]:
    payload = {"at": clock.now().isoformat(timespec="microseconds"), "facts": facts}
    key = provider().mac_id
    return {**payload, "key_id": key, "mac": _note_mac(payload, key)}


def _note_mac(payload: dict[str, Any], key: str) -> str:
    text = json.dumps([payload["at"], payload["facts"]], ensure_ascii=False, sort_keys=True)
    return provider().mac(b"note:" + text.encode(), purpose="audit", key_id=key).hex()


def _trusted(payload: dict[str, Any]) -> dict[str, Any]:
    """The facts of a note, marked when somebody changed them while they waited."""
    facts = dict(payload["facts"])
    if not hmac.compare_digest(_note_mac(payload, payload["key_id"]), payload["mac"]):
        logger.error("audit: a note was changed before it was chained")
        facts["detail"] = {**facts["detail"], "changed_before_chaining": True}
    return facts


@transaction.atomic
def _extended(facts: dict[str, Any], seconds: int) -> bool:
    """Count this look into the session's note; False for its first one."""
    moment = clock.now()
    start = datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
    same = {name: value for name, value in facts.items() if name != "request_id"}
    identifier = key_id(start, SESSION, seconds, json.dumps(same, ensure_ascii=False, sort_keys=True))
    rows = OutboxMessage.objects.select_for_update().filter(pk=identifier, topic=SESSION)
    row = rows.first()
    if row is None:
        count = {"pictures": 0, "since": moment.isoformat(timespec="milliseconds")}
        first = OutboxMessage(
            id=identifier,
            topic=SESSION,
            payload=_signed({**facts, "detail": {**facts["detail"], **count}}),
            due_at=start + timedelta(seconds=seconds) + LATE,
        )
        OutboxMessage.objects.bulk_create([first], ignore_conflicts=True)  # two requests at once: one row
        row = rows.first()
    if row is None:  # it was closed just now
        return False
    known = _trusted(row.payload)
    known["detail"]["pictures"] += 1
    row.payload = _signed(known)
    row.save(update_fields=["payload"])
    return bool(known["detail"]["pictures"] > 1)


def chain_sessions(batch: list[OutboxMessage]) -> None:
    """Outbox handler: sessions of more than one look become a record; the first look has one of its own already."""
    ids = [message.pk for message in batch]
    found = OutboxMessage.objects.select_for_update().filter(pk__in=ids).order_by("id")
    chain_notes([row for row in found if row.payload["facts"]["detail"]["pictures"] > 1])


def chain_notes(batch: list[OutboxMessage]) -> None:
    """Outbox handler: notes become records, in one transaction with their removal from the outbox."""
    rows = []
    for message in sorted(batch, key=lambda item: item.id):
        rows.append((datetime.fromisoformat(message.payload["at"]), _trusted(message.payload)))
    if rows:
        _append(rows)


def chain_head() -> tuple[int, str]:
    """Number and keyed hash of the newest record; (0, GENESIS) before the first."""
    return AuditRecord.objects.order_by("-seq").values_list("seq", "mac").first() or (0, GENESIS)


def _append(rows: list[tuple[datetime, dict[str, Any]]]) -> list[AuditRecord]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    seq, previous = chain_head()
    keys = provider()
    made = []
    for at, facts in rows:
        seq += 1
        row = AuditRecord(seq=seq, at=at, key_id=keys.mac_id, previous=previous, **facts)
        row.mac = previous = keys.mac(canonical(row), purpose="audit", key_id=row.key_id).hex()
        made.append(row)
    AuditRecord.objects.bulk_create(made)
    return made
