"""A held stream for any number of viewers: new container, same pictures, no transcoding."""

from __future__ import annotations

import contextlib
import io
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

import av
import av.error
from av.container import OutputContainer
from av.video.stream import VideoStream

from workers.vision.live.parameters import with_parameters
from workers.vision.live.playable import browser_reason
from workers.vision.sources.base import VideoPacket, VideoSource

TIME_BASE = Fraction(1, 90_000)
Container = Literal["mpegts", "mp4"]

_OPTIONS: dict[str, dict[str, str]] = {
    "mpegts": {"flush_packets": "1", "mpegts_flags": "resend_headers+pat_pmt_at_frames"},
    "mp4": {"flush_packets": "1", "movflags": "frag_every_frame+empty_moov+default_base_moof"},
}


@dataclass(frozen=True, slots=True)
class LiveChunk:
    """Bytes to append. init: starts a new stream (after it a player must reset); keyframe: playing can start."""

    data: bytes
    keyframe: bool = False
    init: bool = False


class LiveViewer:
    """One viewer's bounded queue. Too slow: everything waiting is dropped up to the next keyframe."""

    def __init__(self, remuxer: LiveRemuxer, max_chunks: int, max_bytes: int) -> None:
        self._remuxer = remuxer
        self._max_chunks, self._max_bytes = max_chunks, max_bytes
        self._queue: deque[LiveChunk] = deque()
        self._bytes = 0
        self._ready = threading.Condition()
        self._waits_for_key = True
        self._closed = False
        self.dropped = 0

    def offer(self, chunk: LiveChunk, header: LiveChunk | None) -> None:
        """From the remuxer. header: what a viewer who starts here must get first."""
        with self._ready:
            if self._closed:
                return
            full = len(self._queue) >= self._max_chunks or self._bytes + len(chunk.data) > self._max_bytes
            if full and not self._waits_for_key:
                self.dropped += len(self._queue)
                self._queue.clear()
                self._bytes = 0
                self._waits_for_key = True
            if self._waits_for_key:
                if not chunk.keyframe:
                    self.dropped += 1
                    return
                self._waits_for_key = False
                if header is not None:
                    self._add(header)
            self._add(chunk)
            self._ready.notify()

    def _add(self, chunk: LiveChunk) -> None:
        self._queue.append(chunk)
        self._bytes += len(chunk.data)

    def restart(self) -> None:
        """The stream begins anew: go on at its first keyframe."""
        with self._ready:
            self._waits_for_key = True

    def read(self, timeout: float | None = None) -> LiveChunk | None:
        """The next chunk; None after `timeout` seconds or once closed."""
        with self._ready:
            self._ready.wait_for(lambda: bool(self._queue) or self._closed, timeout)
            if not self._queue:
                return None
            chunk = self._queue.popleft()
            self._bytes -= len(chunk.data)
            return chunk

    @property
    def closed(self) -> bool:
        """No more chunks will come."""
        return self._closed

    def close(self) -> None:
        """Leave. May be called twice."""
        with self._ready:
            self._closed = True
            self._queue.clear()
            self._bytes = 0
            self._ready.notify_all()
        self._remuxer.detach(self)

    def __enter__(self) -> LiveViewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Sink(io.RawIOBase):
    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _Muxer:
    """One output container, begun at a keyframe; its times start at zero and only rise."""

    def __init__(self, stream: VideoStream, container: Container, start: datetime) -> None:
        self._sink = _Sink()
        self._start, self._last = start, -1
        self._source = stream
        opened = av.open(self._sink, "w", format=container, options=_OPTIONS[container])
        assert isinstance(opened, OutputContainer)
        self._output = opened
        try:
            self._target = opened.add_stream_from_template(stream)
            self._target.time_base = TIME_BASE
            opened.start_encoding()
        except BaseException:
            self.close()
            raise
        self.header = self._sink.take()

    def mux(self, packet: VideoPacket) -> bytes:
        native = packet.native
        data = bytes(native)
        if packet.is_keyframe:
            data = with_parameters(data, self._source)
        copy = av.Packet(data)
        ticks = int((packet.time - self._start).total_seconds() * 90_000)
        self._last = max(ticks, self._last + 1)
        delay = 0
        if native.pts is not None and native.dts is not None and native.time_base:
            delay = max(0, round((native.pts - native.dts) * float(native.time_base) * 90_000))
        copy.dts, copy.pts, copy.time_base = self._last, self._last + delay, TIME_BASE
        copy.is_keyframe = packet.is_keyframe
        copy.stream = self._target
        self._output.mux(copy)
        return self._sink.take()

    def close(self) -> None:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()


class LiveRemuxer:
    """Attached to one held stream; muxes only while somebody watches. Feed from one thread, view from any."""

    def __init__(
        self, container: Container = "mpegts", *, max_chunks: int = 300, max_bytes: int = 8 << 20
    ) -> None:
        self._container: Container = container
        self._limits = (max_chunks, max_bytes)
        self._viewers: set[LiveViewer] = set()
        self._lock = threading.Lock()
        self._stream: VideoStream | None = None
        self._muxer: _Muxer | None = None
        self.reason = ""
        """Why nothing can be shown ('' if it can); known once the source is open."""

    def begin(self, source: VideoSource) -> None:
        """A source was opened (again): viewers go on at its first keyframe."""
        self.end()
        self.reason = browser_reason(source.info.codec)
        self._stream = None if self.reason else source.native_stream
        with self._lock:
            for viewer in self._viewers:
                viewer.restart()

    def end(self) -> None:
        """The source is closing; viewers stay and wait."""
        self._stream = None
        self._drop_muxer()

    def feed(self, packet: VideoPacket) -> None:
        """The next packet of the source. Costs nothing without viewers."""
        if self._stream is None:
            return
        if not self._viewers:
            self._drop_muxer()
            return
        try:
            if self._muxer is None:
                if not packet.is_keyframe:
                    return
                self._muxer = _Muxer(self._stream, self._container, packet.time)
            chunk = LiveChunk(self._muxer.mux(packet), packet.is_keyframe)
            header = LiveChunk(self._muxer.header, init=True) if self._muxer.header else None
        except (av.error.FFmpegError, ValueError):
            self._drop_muxer()  # the next keyframe starts a new one
            return
        with self._lock:
            for viewer in self._viewers:
                viewer.offer(chunk, header)

    def _drop_muxer(self) -> None:
        muxer, self._muxer = self._muxer, None
        if muxer is not None:
            muxer.close()
            with self._lock:
                for viewer in self._viewers:
                    viewer.restart()

    def attach(self) -> LiveViewer:
        """A new viewer; its first chunk starts at the next keyframe."""
        viewer = LiveViewer(self, *self._limits)
        with self._lock:
            self._viewers.add(viewer)
        return viewer

    def detach(self, viewer: LiveViewer) -> None:
        """Called by the viewer's close."""
        with self._lock:
            self._viewers.discard(viewer)

    @property
    def viewers(self) -> int:
        """How many are watching."""
        return len(self._viewers)

    def close(self) -> None:
        """Send every viewer away."""
        self.end()
        for viewer in list(self._viewers):
            viewer.close()
