"""Frames for other nodes: a bounded store in Redis with a lifetime. Empty it, and frames are taken again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.analysis.models import CaptureSlot
from apps.core.wake import client

logger = logging.getLogger(__name__)
SECONDS = 90
INDEX = "vantage:frames"
KEY = "vantage:frame:{}"
# Keys: index. Arguments: name, size, limit in bytes, now, lifetime. Members are "<size>:<name>", scored by time.
_ADMIT = """
local total = 0
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4] - ARGV[5])
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    total = total + tonumber(string.match(member, '^(%d+):'))
end
if total + ARGV[2] > tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2] .. ':' .. ARGV[1])
return 1
"""


def share(slots: Iterable[CaptureSlot]) -> int:
    """Lend the frames of these slots to other nodes; a full store takes no more. Returns how many were taken."""
    number = 0
    for slot in slots:
        try:
            data = Path(slot.frame).read_bytes()
        except OSError:
            continue
        number += put(slot.pk, data)
    return number


def put(slot: UUID, data: bytes) -> bool:
    """Keep one JPEG for SECONDS; False where the store is full."""
    redis = client()
    now = float(redis.time()[0])  # type: ignore[index]
    limit = settings.VANTAGE_SHARED_FRAMES_MB * 2**20
    if not redis.eval(_ADMIT, 1, INDEX, str(slot), len(data), limit, now, SECONDS):
        logger.warning("frame store of all nodes is full: slot %s is not shared", slot)
        return False
    redis.set(KEY.format(slot), data, ex=SECONDS)
    return True


def get(slot: UUID) -> bytes | None:
    """The frame another node lent, or None."""
    found = client().get(KEY.format(slot))
    return bytes(found) if isinstance(found, bytes) else None
