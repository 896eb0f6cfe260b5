"""What the holder saw of its cameras goes into the rows: state, findings, GOP, outages that were not analysed."""

from __future__ import annotations

import logging
import queue
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution
from apps.core import clock
from apps.devices.choices import CameraState, StreamRole
from apps.devices.models import Stream
from apps.devices.services import report_camera_state, report_health, set_cover
from workers.streams.analysis import LiveAnalysis
from workers.streams.rows import Placed
from workers.vision.holder import StateChange, StreamState, StreamStatus
from workers.writer.results import FrameResults, not_analysed, push

logger = logging.getLogger(__name__)
STATES = {
    StreamState.ONLINE: CameraState.ONLINE,
    StreamState.DEGRADED: CameraState.DEGRADED,
    StreamState.OFFLINE: CameraState.OFFLINE,
}
HEALTH_EVERY = 5.0
OUTAGE_EVERY = 10.0


class Reports:
    """`on_state` is called in the streams' threads; `write` in the main thread."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[tuple[str, StateChange]] = queue.SimpleQueue()
        self._gops: dict[str, int] = {}
        self._told: dict[UUID, tuple[str, str]] = {}
        self._health_at = self._outage_at = 0.0

    def on_state(self, stream_id: str, change: StateChange) -> None:
        """Quick: only remembered."""
        self._changes.put((stream_id, change))

    def write(self, placed: Placed, status: Mapping[str, StreamStatus], live: LiveAnalysis) -> None:
        """Everything that happened since the last call."""
        self._write_changes()
        self._write_executions(placed, status)
        self._write_covers(live)
        moment = time.monotonic()
        if moment - self._health_at >= HEALTH_EVERY:
            self._health_at = moment
            self._write_health(status)
        if moment - self._outage_at >= OUTAGE_EVERY:
            self._outage_at = moment
            self._write_outages(placed, status)

    def _write_changes(self) -> None:
        while not self._changes.empty():
            stream_id, change = self._changes.get()
            state = STATES.get(change.after)
            if change.cause in {"changed", "released"} or state is None:
                continue
            cause = "" if state == CameraState.ONLINE else change.cause
            report_camera_state(UUID(stream_id), state, cause, change.time)

    def _write_executions(self, placed: Placed, status: Mapping[str, StreamStatus]) -> None:
        groups: dict[tuple[str, str], list[UUID]] = {}
        for item in placed.executions.values():
            found = status.get(str(item.camera))
            if found is None or found.state in {StreamState.CONNECTING, StreamState.DISABLED}:
                continue
            wanted = (ExecutionState.RUNNING.value, "")
            if found.state == StreamState.OFFLINE:
                wanted = (ExecutionState.RETRYING.value, found.cause)
            elif found.slow_gop:
                wanted = (ExecutionState.RUNNING.value, "slow_gop")
            elif found.takes_turns and item.sampling == Sampling.FPS:
                wanted = (ExecutionState.RUNNING.value, "takes_turns")
            if self._told.get(item.id) != wanted:
                self._told[item.id] = wanted
                groups.setdefault(wanted, []).append(item.id)
        for (state, reason), members in groups.items():
            Execution.objects.filter(pk__in=members).exclude(state=ExecutionState.STOPPED).update(
                state=state, state_reason=reason
            )
        self._told = {key: told for key, told in self._told.items() if key in placed.executions}

    def _write_health(self, status: Mapping[str, StreamStatus]) -> None:
        for stream_id, found in status.items():
            state = STATES.get(found.state)
            if state not in {CameraState.ONLINE, CameraState.DEGRADED}:
                continue
            seen = found.counters.last_packet_at or clock.now()
            cause = found.cause if state == CameraState.DEGRADED else ""
            report_camera_state(UUID(stream_id), state, cause, seen)
            report_health(UUID(stream_id), dict.fromkeys(found.findings, 1.0))
            if found.counters.gop and self._gops.get(stream_id) != found.counters.gop:
                self._gops[stream_id] = found.counters.gop
                Stream.objects.filter(camera_id=stream_id, role=StreamRole.MAIN).update(
                    gop=found.counters.gop, frame_rate=round(found.counters.fps, 2)
                )

    def _write_outages(self, placed: Placed, status: Mapping[str, StreamStatus]) -> None:
        """While a stream is away its executions look at nothing, and say so."""
        batch = []
        for item in placed.executions.values():
            found = status.get(str(item.camera))
            if found is None or found.state != StreamState.OFFLINE:
                continue
            reason = found.cause
            batch.append(
                FrameResults(
                    None, item.camera, item.preset, clock.now(), "", 0, 0, [not_analysed(item.id, reason)]
                )
            )
        push(batch)

    def _write_covers(self, live: LiveAnalysis) -> None:
        covers, live.covers = live.covers, {}
        for camera, (data, at) in covers.items():
            with tempfile.NamedTemporaryFile(dir=live.store.root, suffix=".jpg") as file:
                file.write(data)
                file.flush()
                set_cover(camera, Path(file.name), at)
