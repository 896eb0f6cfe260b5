"""Writing and verifying the audit chain (keyed hash, HMAC-SHA-256)."""

from __future__ import annotations

import hmac
import json
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import connection, transaction

from apps.core import clock
from apps.core.crypto import provider
from apps.core.models import AuditRecord

CHAIN_LOCK = 7_201
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where the present request came from; empty outside a request."""

    address: str = ""
    request_id: str = ""


OUTSIDE = RequestContext()
request_context: ContextVar[RequestContext] = ContextVar("request_context", default=OUTSIDE)


def _canonical(record: AuditRecord) -> bytes:
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

    `action` is `<noun>.<verb>`; `detail` must hold no secret.
    """
    context = request_context.get()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        last = AuditRecord.objects.order_by("-seq").values("seq", "mac").first()
        row = AuditRecord(
            seq=(last["seq"] if last else 0) + 1,
            at=clock.now(),
            actor_kind=getattr(principal, "kind", "nobody"),
            actor_id=str(getattr(principal, "id", "") or ""),
            actor_name=str(getattr(principal, "name", ""))[:200],
            organisation_id=str(getattr(principal, "organisation_id", "") or ""),
            organisation_name=str(getattr(principal, "organisation_name", ""))[:200],
            action=action,
            outcome=outcome,
            object_kind=target._meta.label_lower if target is not None else "",
            object_id=str(target.pk) if target is not None else "",
            object_name=(name or str(target or ""))[:300],
            owner_id=str(owner_id or ""),
            address=context.address[:64],
            request_id=context.request_id[:64],
            detail=json.loads(json.dumps(detail, default=str)),
            key_id=provider().key_id,
            previous=last["mac"] if last else GENESIS,
        )
        row.mac = provider().mac(_canonical(row), purpose="audit").hex()
        row.save(force_insert=True)
    return row


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of walking the chain: how many rows, and the first broken one with its reason."""

    checked: int
    broken_seq: int | None = None
    reason: str = ""


def verify() -> Verdict:
    """Walk the whole chain; stops at the first row whose number, link or MAC is wrong."""
    previous, expected, checked = GENESIS, 1, 0
    for row in AuditRecord.objects.order_by("seq").iterator(chunk_size=2000):
        if row.seq != expected:
            return Verdict(checked, expected, "missing")
        if row.previous != previous:
            return Verdict(checked, row.seq, "link")
        mac = provider().mac(_canonical(row), purpose="audit", key_id=row.key_id).hex()
        if not hmac.compare_digest(mac, row.mac):
            return Verdict(checked, row.seq, "mac")
        previous, expected, checked = row.mac, expected + 1, checked + 1
    return Verdict(checked)
