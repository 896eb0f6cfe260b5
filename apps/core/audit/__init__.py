"""The audit trail: a chain of keyed hashes, checkpoints of its head outside the database, and their verification."""

from apps.core.audit.chain import CHAIN_LOCK, chain_notes, chain_sessions, note, record
from apps.core.audit.checkpoints import accept_loss, checkpoint, read_checkpoints
from apps.core.audit.context import RequestContext, request_context
from apps.core.audit.verifying import Verdict, verify

__all__ = [
    "CHAIN_LOCK",
    "RequestContext",
    "Verdict",
    "accept_loss",
    "chain_notes",
    "chain_sessions",
    "checkpoint",
    "note",
    "read_checkpoints",
    "record",
    "request_context",
    "verify",
]
