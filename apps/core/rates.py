"""Rate limits of the interface: counted in Valkey in one step, so that parallel calls cannot slip through together.

A window of 60 s begins with the first call; each call is counted by a script that reads and adds at once (DRF's own
throttles read and write separately). Without Valkey each process counts for itself.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.core.rest import principal_of
from apps.core.wake import AWAY_SECONDS, client

logger = logging.getLogger(__name__)
WINDOW_SECONDS = 60
_COUNT = """
local used = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {used, left}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Calls allowed in the window, calls used in it, seconds until it ends."""

    limit: int
    used: int
    reset: int

    @property
    def is_allowed(self) -> bool:
        """Whether this call may go on."""
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        """`RateLimit-*` (draft-ietf-httpapi-ratelimit-headers, the three fields)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.reset),
        }


def count_call(name: str, limit: int) -> Verdict:
    """Count one call of `name` and say whether it is within `limit` a minute."""
    used, left = _counted_together(name) or _counted_here(name)
    return Verdict(limit, used, max(1, -(-left // 1000)))


_own: dict[str, tuple[float, int]] = {}
_away_until = 0.0


def _counted_together(name: str) -> tuple[int, int] | None:
    """By all processes; None while Valkey is away, which nobody asks again for a while: each call would wait for it."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        used, left = client().eval(_COUNT, 1, f"vantage:rate:{name}", WINDOW_SECONDS * 1000)
    except Exception as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("calls are counted per process: %s", type(error).__name__)
        return None
    return int(used), int(left)


def _counted_here(name: str) -> tuple[int, int]:
    now = time.monotonic()
    if len(_own) > 10_000:
        _own.clear()
    ends, used = _own.get(name, (0.0, 0))
    if ends <= now:
        ends, used = now + WINDOW_SECONDS, 0
    _own[name] = (ends, used + 1)
    return used + 1, round((ends - now) * 1000)


class PrincipalThrottle(BaseThrottle):
    """Calls a minute per API key, and per person for what their pages and scripts ask with a session."""

    verdict: Verdict | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Every answer of the interface tells the limit; a refused one is 429 with Retry-After."""
        principal = principal_of(request)
        if principal is None:
            return True
        key = getattr(request.auth, "pk", None)
        name = f"key:{key}" if key is not None else f"user:{principal.id}"
        limit = settings.VANTAGE_CALLS_PER_MINUTE["key" if key is not None else "user"]
        self.verdict = count_call(name, limit)
        view.headers.update(self.verdict.headers())
        return self.verdict.is_allowed

    def wait(self) -> float | None:
        """Seconds until the window ends."""
        return float(self.verdict.reset) if self.verdict else None
