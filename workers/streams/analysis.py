"""A live frame's road: holder → frame store → engine → results. Nothing queues; the holder keeps the latest."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from workers.capture.frames import FrameStore
from workers.streams.rows import HeldExecution, Placed
from workers.streams.suspects import GivenUp, Suspects
from workers.vision.engine_client import EngineClient, EngineError, EnginePool
from workers.vision.frames import Frame
from workers.vision.holder import Demand
from workers.vision.inference.sizes import look_size
from workers.vision.quality import gate
from workers.vision.rendition import paint_masks
from workers.writer.results import FrameResults, not_analysed, push

logger = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENGINE_SECONDS = 20.0
COVER_EVERY = 10.0


class LiveAnalysis:
    """The holder's consumer; `placed` is replaced by the main loop, `covers` are pictures to keep as covers."""

    def __init__(self, engine: EnginePool, store: FrameStore) -> None:
        self.engine, self.store = engine, store
        self.suspects = Suspects()
        self.placed = Placed()
        self.is_active = True
        self.frames = 0
        self.failures = 0
        self.last_error = ""
        self._covered: dict[UUID, float] = {}
        self.covers: dict[UUID, tuple[bytes, datetime]] = {}

    def on_frame(self, stream_id: str, frame: Frame, demands: tuple[Demand, ...]) -> None:
        """Runs in a holder's thread, never twice at once for a camera."""
        if not self.is_active:  # another process of this node delivers
            return
        placed, camera = self.placed, UUID(stream_id)
        wanted = [placed.executions[key] for key in _keys(demands) if key in placed.executions]
        by_preset: dict[int, list[HeldExecution]] = {}
        for item in wanted:
            by_preset.setdefault(item.preset, []).append(item)
        for preset, executions in by_preset.items():
            self._analyse(camera, preset, frame, executions, placed)

    def _analyse(
        self, camera: UUID, preset: int, frame: Frame, executions: list[HeldExecution], placed: Placed
    ) -> None:
        self.frames += 1
        verdict = gate(frame)
        if not verdict.good:
            reason = f"quality_{verdict.value}"
            self._send(camera, preset, frame, "", [not_analysed(item.id, reason) for item in executions])
            return
        masks = placed.masks.get((camera, preset))
        if masks:
            frame = _masked(frame, masks)
        name, micros = _name(camera, preset, frame)
        specs = [item.spec for item in executions]
        try:
            look = self.store.write_look(frame, name, look_size(specs, frame.width, frame.height))
        except OSError as error:
            self._fail(f"frame store: {error}")
            self._send(camera, preset, frame, "", [not_analysed(i.id, "frame_store") for i in executions])
            return
        path = look.with_suffix(".jpg")  # written only when something is to be seen on it
        reference = {
            "path": str(path),
            "look": str(look),
            "time_us": micros,
            "camera": str(camera),
            "preset": preset,
        }
        try:
            request = [{"frame": reference, "executions": specs}]
            with self.suspects.watched((camera, preset), self._own_client) as own:
                results = (own or self.engine).analyse(request, timeout=ENGINE_SECONDS)[0]
        except GivenUp:
            results = [not_analysed(item.id, "engine_crashed") for item in executions]
        except EngineError as error:
            self._fail(str(error))
            results = [not_analysed(item.id, error.code) for item in executions]
        is_hit = any(result["hits"] for result in results)
        kept = self._picture(camera, frame, name, is_hit=is_hit)
        if not kept:
            self.store.delete(path)
        self._send(camera, preset, frame, kept, results)

    def _own_client(self) -> EngineClient:
        return EngineClient(self.engine.path, timeout=ENGINE_SECONDS)

    def _picture(self, camera: UUID, frame: Frame, name: str, *, is_hit: bool) -> str:
        """Encode the picture where somebody will look at it; the path of one that stays, else ''.

        A JPEG of 1080p costs as much as a small model, so a frame on which nothing was found gets none.
        """
        moment = time.monotonic()
        is_cover = moment - self._covered.get(camera, float("-inf")) >= COVER_EVERY
        if not (is_hit or is_cover):
            return ""
        try:
            path = self.store.write_picture(frame, name)
            if is_cover:
                self._covered[camera] = moment
                self.covers[camera] = (path.read_bytes(), frame.time)
        except OSError as error:
            self._fail(f"frame store: {error}")
            return ""
        return str(path) if is_hit else ""

    def _send(
        self, camera: UUID, preset: int, frame: Frame, path: str, results: list[dict[str, Any]]
    ) -> None:
        push([FrameResults(None, camera, preset, frame.time, path, frame.width, frame.height, results)])

    def _fail(self, words: str) -> None:
        self.failures += 1
        self.last_error = words[:200]
        logger.warning("live analysis: %s", words)


def _name(camera: UUID, preset: int, frame: Frame) -> tuple[str, int]:
    """The frame's name in the store, and its time in microseconds."""
    micros = (frame.time - _EPOCH) // timedelta(microseconds=1)
    return f"live-{camera}-{preset}-{micros}", micros


def _keys(demands: tuple[Demand, ...]) -> list[UUID]:
    return [UUID(demand.key) for demand in demands if demand.key]


def _masked(frame: Frame, masks: list[dict[str, Any]]) -> Frame:
    return Frame(
        paint_masks(frame.image, masks),
        frame.time,
        frame.pts,
        frame.keyframe,
        frame.corrupt,
        frame.index,
    )
