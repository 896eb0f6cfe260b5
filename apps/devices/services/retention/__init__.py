"""How long things are kept: the rules, what they would delete, deleting, and locks against it."""

from apps.devices.services.retention.delete import delete_expired
from apps.devices.services.retention.locks import lock_media, release_lock
from apps.devices.services.retention.media import CaptureKind, CoverKind, active_locks
from apps.devices.services.retention.rules import Rule, preview, rules_for, set_rule

__all__ = [
    "CaptureKind",
    "CoverKind",
    "Rule",
    "active_locks",
    "delete_expired",
    "lock_media",
    "preview",
    "release_lock",
    "rules_for",
    "set_rule",
]
