"""Keyed hashes over rows that give rights: whoever can write to the database but has no key cannot make one."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from apps.core.crypto import provider
from apps.core.signals import seal_broken

logger = logging.getLogger(__name__)
TELL_EVERY = 3600.0
#: Begins the keyed hash of a row that was found broken: it stays as evidence and gives nothing.
BROKEN = "!"
MAC_LENGTH = 140
_told: dict[tuple[str, str], float] = {}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, list | tuple):
        return [_text(part) for part in value]
    return str(value)


def seal(purpose: str, values: Iterable[Any]) -> str:
    """`<mac id>:<hex>` over the values in their order."""
    key_id = provider().mac_id
    return f"{key_id}:{_mac(purpose, values, key_id)}"


def holds(purpose: str, values: Iterable[Any], sealed: str) -> bool:
    """True when `sealed` was made over these values with a key that is still in use."""
    key_id, _colon, digest = sealed.rpartition(":")
    try:
        return bool(key_id) and hmac.compare_digest(_mac(purpose, values, key_id), digest)
    except ValueError:
        return False


def marked_broken(sealed: str) -> str:
    """The keyed hash of a row that was found broken, so that queries and key changes pass it by."""
    return sealed if sealed.startswith(BROKEN) else f"{BROKEN}{sealed}"[:MAC_LENGTH]


def _mac(purpose: str, values: Iterable[Any], key_id: str) -> str:
    data = json.dumps([_text(value) for value in values], ensure_ascii=False, separators=(",", ":"))
    return provider().mac(data.encode(), purpose=f"row:{purpose}", key_id=key_id).hex()


def is_sound(row: Any) -> bool:
    """True when the row (a SealedRow) holds; else it counts for nothing, and an alarm is raised once an hour."""
    if row.is_intact:
        return True
    mark = (row._meta.label_lower, str(row.pk))
    if time.monotonic() - _told.get(mark, -TELL_EVERY) >= TELL_EVERY:
        if len(_told) > 10_000:
            _told.clear()
        _told[mark] = time.monotonic()
        logger.error("%s %s fails its keyed hash and gives nothing", *mark)
        seal_broken.send(sender=type(row), row=row)
    return False
