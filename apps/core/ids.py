"""Identifiers: UUIDv7 for rows, and time-ordered ids made from a business key for partitioned tables."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import uuid_utils

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562 §5.7) as the standard library's type."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def key_id(moment: datetime, *key: object) -> uuid.UUID:
    """The id of the row with this business key: 48 bits of `moment` (ms) and 74 bits of SHA-256(key).

    The primary key is then the idempotency key: the same key gives the same id on every machine.
    """
    digest = hashlib.sha256("\x1f".join(map(str, key)).encode()).digest()
    random = int.from_bytes(digest[:10], "big") >> 6  # 74 bits
    value = (_milliseconds(moment) & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 62) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return uuid.UUID(int=value)


def id_floor(moment: datetime) -> uuid.UUID:
    """The smallest id a row of this moment can have: a bound for partitions and time ranges."""
    return uuid.UUID(int=(_milliseconds(moment) & (1 << 48) - 1) << 80)


def id_time(identifier: uuid.UUID) -> datetime:
    """The moment (UTC, millisecond precision) inside a time-ordered id."""
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)
