"""Base models and the mechanism tables every room uses."""

from apps.core.models.audit import AuditRecord
from apps.core.models.base import IdModel, StampedModel
from apps.core.models.lease import ProcessLease
from apps.core.models.outbox import OutboxMessage, PermissionEpoch, Push
from apps.core.models.sealed import EncryptedTextField, SealedQuerySet, SealedRow

__all__ = [
    "AuditRecord",
    "EncryptedTextField",
    "IdModel",
    "OutboxMessage",
    "PermissionEpoch",
    "ProcessLease",
    "Push",
    "SealedQuerySet",
    "SealedRow",
    "StampedModel",
]
