"""Waking a process or a task after commit. A wake is a hint: every room also polls its rows."""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.core.registry import Registry

logger = logging.getLogger(__name__)


class WakeableTask(Protocol):
    """What a topic may be bound to: a Celery task without arguments."""

    def apply_async(self, **options: Any) -> Any: ...


topics: Registry[WakeableTask] = Registry("wake topic")
_client: redis.Redis | None = None
_last_sent: dict[str, float] = {}
_away_until = 0.0
THROTTLE_SECONDS = 0.05
ONCE_MORE = Retry(NoBackoff(), 1)
"""On a fresh connection; the library's own patience is half a minute."""
AWAY_SECONDS = 5.0
"""After a wake that failed nobody tries again for so long: a request must not wait for each of its wakes."""


def client() -> redis.Redis:
    """The process's Redis connection pool, with timeouts so that a half-open socket cannot hang a request."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=5,
            socket_connect_timeout=2,
            socket_keepalive=True,
            health_check_interval=25,
            retry=ONCE_MORE,
        )
    return _client


def channel(topic: str) -> str:
    """The pub/sub channel of a topic."""
    return f"vantage:wake:{topic}"


def wake(topic: str) -> None:
    """After the present transaction commits, tell whoever serves `topic`. Never raises, never blocks long."""
    transaction.on_commit(lambda: _send(topic), robust=True)


def _send(topic: str) -> None:
    global _away_until
    moment = time.monotonic()
    if moment - _last_sent.get(topic, 0.0) < THROTTLE_SECONDS or moment < _away_until:
        return
    _last_sent[topic] = moment
    try:
        client().publish(channel(topic), b"1")
        if topic in topics:
            topics.get(topic).apply_async(expires=60, ignore_result=True)
    except Exception as error:  # the rows are there; polling finds them
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("wake of %s failed: %s", topic, type(error).__name__)


class Sleeper:
    """Sleeps until one of `names` is woken or `seconds` have passed; survives a lost Redis."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._subscription: Any = None

    def sleep(self, seconds: float) -> bool:
        """True when woken, False when the time passed."""
        try:
            if self._subscription is None:
                self._subscription = client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._subscription.subscribe(*[channel(name) for name in self.names])
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                if self._subscription.get_message(timeout=min(left, 1.0)):
                    return True
        except Exception:  # Redis away: fall back to polling
            self._subscription = None
            time.sleep(min(seconds, 1.0))
        return False
