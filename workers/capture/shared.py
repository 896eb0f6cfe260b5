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
HIT_SECONDS = 600
"""A hit's picture waits that long for a writer on another machine, as it would in the node's own store."""
INDEX = "vantage:frames"
KEY = "vantage:frame:{}"
# Keys: index. Arguments: name, size, limit in bytes, now, lifetime. Members are "<size>:<name>", scored by their end.
_ADMIT = """
local total = 0
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    total = total + tonumber(string.match(member, '^(%d+):'))
end
if total + ARGV[2] > tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[4] + ARGV[5], ARGV[2] .. ':' .. ARGV[1])
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


def hit_name(path: Path) -> str:
    """What a hit's picture is called here: apart from the frame that another node may still analyse."""
    return f"hit:{path.stem}"


def put(name: UUID | str, data: bytes, seconds: int = SECONDS) -> bool:
    """Keep one JPEG for so long; False where the store is full."""
    redis = client()
    now = float(redis.time()[0])  # type: ignore[index]
    limit = settings.VANTAGE_SHARED_FRAMES_MB * 2**20
    if not redis.eval(_ADMIT, 1, INDEX, str(name), len(data), limit, now, seconds):
        logger.warning("frame store of all nodes is full: %s is not shared", name)
        return False
    redis.set(KEY.format(name), data, ex=seconds)
    return True


def get(name: UUID | str) -> bytes | None:
    """The frame another node lent, or None."""
    found = client().get(KEY.format(name))
    return bytes(found) if isinstance(found, bytes) else None


def drop(name: UUID | str, size: int) -> None:
    """Nobody needs this frame of so many bytes any more: its room is free at once."""
    client().zrem(INDEX, f"{size}:{name}")
    client().delete(KEY.format(name))
