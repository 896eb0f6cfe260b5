"""The stream holder of a node: holds what its rows and its viewers wish, reports, and beats as its agent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core import leases
from apps.core.outbound.settings import camera_policy
from apps.core.wake import Sleeper
from apps.devices.services import source_options
from apps.devices.services.storage import is_remote
from apps.dispatch.services import leave
from workers.capture.frames import FrameStore
from workers.management.succession import Life
from workers.node import BEAT_SECONDS, Agent
from workers.streams.analysis import LiveAnalysis
from workers.streams.reports import Reports
from workers.streams.rows import NodeRows, Placed
from workers.streams.viewers import Viewers
from workers.vision.engine_client import EnginePool
from workers.vision.holder import StreamHolder, StreamState, StreamStatus, StreamWish
from workers.writer.keeper import StorageKeeper

logger = logging.getLogger(__name__)
RECONCILE_SECONDS = 2.0
SWEEP_SECONDS = 15.0
LEASE_SECONDS = 15.0
WARM_SECONDS = 20.0
STOP_SECONDS = 4.0


class Streams:
    """`run` until `ended`. A lost database changes nothing for what is held; leases end by themselves.

    only_viewers: beside a web process on a machine that computes nothing. It holds what is watched there, is no node
    and takes no executions.
    """

    def __init__(self, *, only_viewers: bool = False) -> None:
        self.only_viewers = only_viewers
        # Streams run side by side: threads inside one picture only get in each other's way.
        cv2.setNumThreads(1)
        self.store = FrameStore()
        self.store.prepare()
        threads = max(2, settings.VANTAGE_ENGINE_THREADS)
        self.engine = EnginePool(settings.VANTAGE_ENGINE_SOCKET, size=threads, timeout=20.0)
        self.live = LiveAnalysis(self.engine, self.store)
        self.reports = Reports()
        self.holder = StreamHolder(
            camera_policy(),
            self.live.on_frame,
            None if only_viewers else self.reports.on_state,
            threads=threads,
        )
        self.viewers = Viewers(
            settings.VANTAGE_LIVE_SOCKET, self.holder, lambda transport: source_options(transport=transport)
        )
        self.rows = NodeRows()
        self.agent = Agent(self.store)
        self._placed = Placed()
        self._next_beat = self._next_sweep = 0.0

    def live_as(self, life: Life) -> None:
        """Beside a predecessor: connect and decode but deliver nothing, until it has let go. Then run.

        One that is told to end before its turn came leaves everything to the predecessor, the viewers' socket too.
        """
        self.live.is_active = False
        warm_by = time.monotonic() + WARM_SECONDS
        while not life.active.is_set() and not life.ended.is_set():
            try:
                self._placed = self._read()
            except (DatabaseError, InterfaceError):
                connection.close()
            self.holder.reconcile(self._placed.wishes)
            states = {found.state for found in self.holder.status().values()}
            if StreamState.CONNECTING not in states or time.monotonic() > warm_by:
                life.ready()
            life.active.wait(0.5)
        if not life.active.is_set():
            self.holder.close()
            self.engine.close()
            return
        self.holder.due_now()
        self.live.is_active = True
        self.run(life.ended, life.gone)
        if life.is_last and not self.only_viewers:
            self._give_back()

    def run(self, ended: threading.Event, gone: Callable[[], None] = lambda: None) -> None:
        """The main loop: every 2 s, or at once when somebody starts to watch or a wake comes.

        gone: called when nothing is delivered any more, before the connections are closed.
        """
        self.viewers.start()
        waker = threading.Thread(target=self._listen, args=(ended,), name="wakes", daemon=True)
        waker.start()
        if is_remote():  # covers are written here; without an object store the courier alone keeps the media
            threading.Thread(target=StorageKeeper().run, args=(ended,), name="media", daemon=True).start()
        try:
            while not ended.is_set():
                try:
                    self.step()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("streams: database: %s", error)
                    connection.close()
                except Exception:
                    logger.exception("streams: a round failed")
                until = time.monotonic() + RECONCILE_SECONDS
                while time.monotonic() < until and not ended.is_set() and not self.viewers.changed.wait(0.5):
                    pass
        finally:
            self.viewers.stop()
            self.live.is_active = False
            gone()
            self.holder.close(STOP_SECONDS)
            self.engine.close()

    def _give_back(self) -> None:
        """Nobody follows on this node: others need not wait for the leases to end."""
        try:
            given = leave(node=settings.VANTAGE_NODE, is_ending=True)
            leases.release(f"streams:{settings.VANTAGE_NODE}")
            logger.info("streams: %d leases given back", given)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("streams: leases end by themselves: %s", error)

    def step(self) -> None:
        """One round. Viewers are served even while the database is away."""
        woken = self.viewers.changed.is_set()
        self.viewers.changed.clear()
        moment = time.monotonic()
        if woken:
            self.holder.reconcile(self._wishes())
        self._placed = self._read()
        self.live.placed = self._placed
        self.holder.reconcile(self._wishes())
        status = self.holder.status()
        if self.only_viewers:  # what it sees is no judgement: its cameras' nodes look at their health
            return
        self.reports.write(self._placed, status, self.live)
        if moment >= self._next_beat:
            self._next_beat = moment + BEAT_SECONDS
            self.agent.beat(self.summary(status))
            leases.take(f"streams:{settings.VANTAGE_NODE}", seconds=LEASE_SECONDS)
        if moment >= self._next_sweep:
            self._next_sweep = moment + SWEEP_SECONDS
            self.store.sweep()

    def _read(self) -> Placed:
        return Placed() if self.only_viewers else self.rows.read()

    def _wishes(self) -> dict[str, StreamWish]:
        """Rows first: a held camera is not opened twice for its viewers."""
        return {**self.viewers.wishes(), **self._placed.wishes}

    def summary(self, status: dict[str, StreamStatus]) -> dict[str, Any]:
        """Numbers for the node's row and the chain page."""
        counters = [found.counters for found in status.values()]
        states: dict[str, int] = {}
        for found in status.values():
            states[found.state.value] = states.get(found.state.value, 0) + 1
        return {
            "held": len(status),
            "states": states,
            "viewers": self.viewers.number,
            "packets": sum(item.packets for item in counters),
            "decoded": sum(item.decoded for item in counters),
            "dropped": sum(item.dropped for item in counters),
            "corrupt": sum(item.corrupt for item in counters),
            "frames": self.live.frames,
            "failures": self.live.failures,
            "last_error": self.live.last_error,
        }

    def _listen(self, ended: threading.Event) -> None:
        sleeper = Sleeper("streams", "analysis")
        while not ended.is_set():
            if sleeper.sleep(5.0):
                self.viewers.changed.set()
