"""Walking the chain and comparing it with the checkpoints outside."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from apps.core.audit.chain import GENESIS, canonical
from apps.core.audit.checkpoints import Checkpoint, read_checkpoints
from apps.core.crypto import provider
from apps.core.models import AuditRecord

REASONS = {
    "mac": "the record was edited",
    "missing": "a record is missing here",
    "link": "the record does not follow the one before it: reordered or inserted",
    "truncated": "records are missing from here to the last checkpoint",
    "checkpoint": "the record differs from what a checkpoint outside knows",
    "key": "its key is not in the key file",
    "checkpoints": "the file of checkpoints was edited",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of walking the chain: how many rows hold, and the first broken one with its reason.

    checkpoints: how many stand outside; 0 means that a cut end cannot be seen.
    """

    checked: int
    broken_seq: int | None = None
    reason: str = ""
    checkpoints: int = 0


def _expected(known: list[Checkpoint]) -> dict[int, str]:
    """seq → mac of the heads that still count: a noted loss takes back those after it."""
    heads: dict[int, str] = {}
    for entry in known:
        if entry.kind == "loss":
            heads = {seq: mac for seq, mac in heads.items() if seq <= entry.seq}
        if entry.seq:
            heads[entry.seq] = entry.mac
    return heads


def verify(*, checkpoints: list[Checkpoint] | None = None) -> Verdict:
    """Walk the whole chain; stops at the first row whose number, link, keyed hash or checkpoint is wrong."""
    known = read_checkpoints() if checkpoints is None else checkpoints
    heads = _expected(known)
    verdict = _walk(heads)
    if verdict.broken_seq is None and (faulty := next((entry for entry in known if entry.fault), None)):
        verdict = Verdict(verdict.checked, faulty.seq, "checkpoints")
    return Verdict(verdict.checked, verdict.broken_seq, verdict.reason, len(known))


def _walk(heads: dict[int, str]) -> Verdict:
    previous, expected, checked = GENESIS, 1, 0
    keys = provider()
    for row in AuditRecord.objects.order_by("seq").iterator(chunk_size=2000):
        if row.seq != expected:
            return Verdict(checked, expected, "missing")
        if row.previous != previous:
            return Verdict(checked, row.seq, "link")
        try:
            mac = keys.mac(canonical(row), purpose="audit", key_id=row.key_id).hex()
        except ValueError:
            return Verdict(checked, row.seq, "key")
        if not hmac.compare_digest(mac, row.mac):
            return Verdict(checked, row.seq, "mac")
        if row.seq in heads and heads[row.seq] != row.mac:
            return Verdict(checked, row.seq, "checkpoint")
        previous, expected, checked = row.mac, expected + 1, checked + 1
    if heads and max(heads) >= expected:
        return Verdict(checked, expected, "truncated")
    return Verdict(checked)
