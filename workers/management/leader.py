"""The duties of the one leader: planner, placement, relay, recurring tasks, partitions, trimming."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection

from apps.analysis.planner import plan_tick
from apps.analysis.services import sync_executions, sync_when_changed
from apps.core import clock, leases, outbox
from apps.core.models import Push
from apps.core.partitions import ensure_partitions
from apps.core.tasks import checkpoint_audit
from apps.core.wake import Sleeper
from apps.dispatch.services import place
from workers.capture import capture_slots
from workers.capture.frames import FrameStore
from workers.inference import infer_slots
from workers.management.recurring import Recurring
from workers.process.queues import routes

logger = logging.getLogger(__name__)
LEADER_LOCK = 7_200
LEASE = "scheduler"
LEASE_SECONDS = 30.0
"""A leader that has not renewed for so long has stalled: a standby ends its session and leads."""
SKEW_ALARM = 2.0
TICK = 0.5
SYNC_EVERY = 30.0
PUSHES_KEPT = timedelta(hours=24)


class LostLeadership(Exception):
    """Somebody else leads now."""


class Every:
    """Runs a duty when its time has come; a failure is logged and tried again at the next time."""

    def __init__(self, seconds: float, duty: Callable[[], object]) -> None:
        self.seconds, self.duty = seconds, duty
        self._next = 0.0

    def run(self, now: float, *, early: bool = False) -> None:
        """Run if due, or if woken `early`."""
        if now < self._next and not early:
            return
        self._next = now + self.seconds
        try:
            self.duty()
        except (DatabaseError, InterfaceError, LostLeadership):
            raise
        except Exception:
            logger.exception("duty %s failed", getattr(self.duty, "__name__", self.duty))


def plan() -> None:
    """One beat of the planner; what is due goes to its queue."""
    tick = plan_tick(clock.now())
    for batch in tick.capture:
        capture_slots.apply_async(([str(slot) for slot in batch],), expires=60)
    for batch in tick.inference:
        for queue, slots in routes(batch, clock.now()):
            infer_slots.apply_async(([str(slot) for slot in slots], True), expires=60, queue=queue)
    store = FrameStore()
    for frame in tick.frames:
        store.delete(frame)


def trim_pushes() -> None:
    """Pages that were away longer than a day load afresh."""
    Push.objects.filter(at__lt=clock.now() - PUSHES_KEPT).delete()


class Leader:
    """Leads while its session holds the advisory lock; a standby asks for it every second."""

    def __init__(self) -> None:
        self.lock = leases.LeaderLock(LEADER_LOCK)
        self.duties = [
            Every(TICK, plan),
            Every(2.0, lambda: place(clock.now())),
            Every(0.5, Recurring().fire),
            Every(2.0, self._renew),
            Every(10.0, self._compare_clocks),
            Every(6 * 3600.0, lambda: ensure_partitions(clock.now())),
            Every(3600.0, trim_pushes),
        ]
        self.sync = Every(SYNC_EVERY, sync_when_changed)
        self.sync_now = Every(SYNC_EVERY, sync_executions)
        self.skew = 0.0

    def run(self, ended: threading.Event) -> None:
        """Until `ended`; a lost database ends the leadership, and the next connection asks for it again."""
        sleeper = Sleeper("analysis")
        while not ended.is_set():
            try:
                if not self._is_leader():
                    ended.wait(1.0)
                    continue
                self._lead(ended, sleeper)
            except LostLeadership as error:
                logger.error("scheduler: %s", error)
                connection.close()
                self.lock.held = False
            except (DatabaseError, InterfaceError) as error:
                logger.warning("scheduler: database: %s", error)
                connection.close()
                self.lock.held = False
                ended.wait(1.0)
        if self.lock.held:
            checkpoint_audit()  # the last word of an orderly end, kept outside the database
            leases.release(LEASE)
            connection.close()

    def _is_leader(self) -> bool:
        if not self.lock.acquire():
            if leases.is_over(LEASE) and self.lock.end_holder():
                logger.error("scheduler: the leader stalled for %.0f s: its session was ended", LEASE_SECONDS)
            return False
        self._renew()
        return True

    def _lead(self, ended: threading.Event, sleeper: Sleeper) -> None:
        logger.info("scheduler: leads")
        relay_ended = threading.Event()
        relay = threading.Thread(target=run_relay, args=(relay_ended,), name="relay", daemon=True)
        relay.start()
        woken = True
        try:
            while not ended.is_set():
                started = time.monotonic()
                if woken:
                    self.sync_now.run(started, early=True)
                self.sync.run(started)
                for duty in self.duties:
                    duty.run(time.monotonic())
                woken = sleeper.sleep(max(0.05, TICK - (time.monotonic() - started)))
        finally:
            relay_ended.set()
            relay.join(10)

    def _renew(self) -> None:
        """The lock says who leads; the lease says that the leader is not stalled. Both are one holder's."""
        detail = {"clock_skew": round(self.skew, 3)}
        if leases.take(LEASE, seconds=LEASE_SECONDS, detail=detail) is None:
            raise LostLeadership("another scheduler holds the lease: this one steps down")

    def _compare_clocks(self) -> None:
        """Leases and slots are compared across machines: their clocks must agree with the database's."""
        self.skew = clock.skew()
        if abs(self.skew) > SKEW_ALARM:
            logger.error("scheduler: this clock is %+.1f s off the database's: set it by NTP", self.skew)


def run_relay(ended: threading.Event) -> None:
    """Empty the outbox as soon as something is in it; asks every half second even when nobody woke it."""
    sleeper = Sleeper("outbox")
    while not ended.is_set():
        try:
            while outbox.relay_once() and not ended.is_set():
                pass
        except (DatabaseError, InterfaceError) as error:
            logger.warning("relay: database: %s", error)
            connection.close()
            ended.wait(1.0)
        except Exception:
            logger.exception("relay failed")
            ended.wait(1.0)
        sleeper.sleep(0.5)
    connection.close()
