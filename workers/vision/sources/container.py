"""A source that PyAV demuxes: everything but folders of images."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from workers.vision.errors import SourceError, SourceFault
from workers.vision.frames import Frame
from workers.vision.sources.base import StreamInfo, VideoPacket, VideoSource
from workers.vision.sources.clock import FrameClock
from workers.vision.sources.convert import PictureConverter
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.h264 import FrameNumbers
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.pool import DecoderPool, prepare, shared_pool

FAST_OPENING = {"analyzeduration": "200000", "fpsprobesize": "0"}

BUFFER = 128 * 1024
"""Bytes that FFmpeg asks a feed for at once: each asking takes the interpreter's lock."""


class Feed(Protocol):
    """Where a container's bytes come from; can be cut off from another thread."""

    failure: SourceError | None
    """Why the bytes ended early; PyAV only sees an end, as it may lose exceptions of its callbacks."""
    gather: float | None
    """Seconds that bytes may wait to come together, where that spares work; None for what suits a viewer."""
    gathers: bool
    """Who reads sleeps that long between two reads."""

    def abort(self) -> None:
        """Make a waiting read return or fail at once."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Reader(Feed, Protocol):
    """A feed that PyAV reads as a file object."""

    def read(self, size: int) -> bytes:
        """Up to size bytes; b'' at the end."""
        ...


def refuse_nested(url: str, flags: int, options: dict[str, str]) -> Any:
    """FFmpeg may open nothing by itself."""
    raise SourceError(SourceFault.REFUSED, "The source names another file or address, which is not allowed.")


def open_container(
    target: Any,
    options: SourceOptions,
    *,
    ffmpeg: dict[str, str],
    format: str | None = None,
    io_open: Callable[..., Any] | None = None,
) -> InputContainer:
    """av.open with our time limits and FFmpeg's own options; raises SourceError."""
    limits = (options.connect_timeout, options.read_timeout)
    started = time.monotonic()
    try:
        container = av.open(
            target, "r", format=format, options=ffmpeg, timeout=limits, io_open=io_open, buffer_size=BUFFER
        )
    except (av.error.FFmpegError, OSError, SourceError, ValueError) as error:
        # Out of time, FFmpeg reports whatever its demuxer made of the missing data.
        late = time.monotonic() - started > options.connect_timeout - 0.1
        cause = TimeoutError() if late else error
        raise as_source_error(getattr(target, "failure", None) or cause) from None
    assert isinstance(container, InputContainer)
    return container


ClockOffset = Callable[[float | None, datetime | None], float | None]
"""(pts of the latest packet, our time of it) → seconds the far end's clock is ahead."""


class ContainerSource(VideoSource):
    """The first video stream of a container. Takes ownership of container and reader."""

    def __init__(
        self,
        container: InputContainer,
        *,
        live: bool,
        options: SourceOptions,
        reader: Feed | None = None,
        clock: FrameClock | None = None,
        pool: DecoderPool = shared_pool,
        offset: ClockOffset = lambda pts, moment: None,
    ) -> None:
        self._container, self._reader = container, reader
        self._options, self._pool, self._offset = options, pool, offset
        self._live = live
        self._closed = False
        self._stopping = threading.Event()
        try:
            self._stream = self._find_stream()
        except BaseException:
            self.close()
            raise
        fps = float(self._stream.average_rate or 0)
        context = self._stream.codec_context
        self.info = StreamInfo(
            codec=context.name,
            width=context.width,
            height=context.height,
            fps=fps if 0 < fps <= 240 else 0.0,
            has_audio=bool(container.streams.audio),
            live=live,
        )
        self._clock = clock or FrameClock(live=live, frame_duration=1 / fps if 1 <= fps <= 240 else 0.04)
        self._converter = PictureConverter()
        self._tick = float(self._stream.time_base or 0)
        self._prepared = False
        self._numbers: FrameNumbers | None = None
        self.damaged = False
        self._gather = 0.0
        self._latest: tuple[float | None, datetime | None] = (None, None)

    def _find_stream(self) -> VideoStream:
        streams = self._container.streams.video
        if not streams:
            raise SourceError(SourceFault.NO_VIDEO, "The source has no video track.")
        try:
            _ = streams[0].codec_context.codec.name
        except (AttributeError, av.error.FFmpegError):
            raise SourceError(SourceFault.UNSUPPORTED_CODEC, "The codec is not supported.") from None
        return streams[0]

    def __iter__(self) -> Iterator[VideoPacket]:
        index = 0
        pace = _Pace(self._stopping) if self._options.realtime and not self._live else None
        while True:
            for packet in self._packets():
                item = self._wrap(packet, index)
                if pace is not None:
                    pace.wait(item, self._gather)
                if self._stopping.is_set():
                    raise SourceError(SourceFault.CLOSED, "The source was closed.")
                index += 1
                yield item
            if not self._options.loop or self._live or not index:
                return
            self._rewind()

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        demuxed = self._container.demux(self._stream)
        while True:
            try:
                packet = next(demuxed)
            except (StopIteration, av.error.EOFError):
                if self._reader is not None and self._reader.failure is not None:
                    raise self._reader.failure from None
                return
            except (av.error.FFmpegError, OSError, SourceError, ValueError) as error:
                if self._stopping.is_set():
                    raise SourceError(SourceFault.CLOSED, "The source was closed.") from None
                failure = self._reader.failure if self._reader is not None else None
                raise as_source_error(failure or error) from None
            if packet.size:
                yield packet

    def _wrap(self, packet: av.Packet[VideoStream], index: int) -> VideoPacket:
        pts, dts = packet.pts, packet.dts
        seconds = self._tick * pts if pts is not None else self._tick * dts if dts is not None else None
        # Decoding times rise evenly; presentation times of B pictures jump to and fro.
        decoding = self._tick * dts if dts is not None else seconds
        moment = self._clock.stamp(decoding)
        self._latest = (seconds, moment)
        return VideoPacket(
            index, packet.is_keyframe, seconds, moment, packet.size, packet.is_corrupt, native=packet
        )

    def _rewind(self) -> None:
        try:
            self._container.seek(0)
            self.forget()
        except (av.error.FFmpegError, OSError) as error:
            raise as_source_error(error) from None

    def forget(self) -> None:
        if self._prepared:
            self._stream.codec_context.flush_buffers()
            self._numbers = self._number_check()

    def decode(self, packet: VideoPacket, *, want: bool = True) -> Frame | None:
        context = self._stream.codec_context
        if not self._prepared:
            prepare(context)
            self._prepared = True
            self._numbers = self._number_check()
        missing = self._numbers is not None and self._numbers.missing(bytes(packet.native))
        if packet.is_keyframe:
            self.damaged = False
        self.damaged = self.damaged or packet.corrupt or (missing and not packet.is_keyframe)
        try:
            frames = context.decode(packet.native)
        except av.error.FFmpegError:
            self.damaged = True
            return None
        self.damaged = self.damaged or any(frame.is_corrupt for frame in frames)
        if not frames or not want:
            return None
        picture = frames[-1]
        pts = (
            float(picture.pts * picture.time_base) if picture.pts is not None and picture.time_base else None
        )
        return Frame(
            image=self._converter.image(picture),
            time=packet.time,
            pts=pts,
            keyframe=bool(picture.key_frame),
            corrupt=self.damaged,
            index=packet.index,
        )

    def _number_check(self) -> FrameNumbers | None:
        context = self._stream.codec_context
        return FrameNumbers(bytes(context.extradata or b"")) if context.name == "h264" else None

    def decode_keyframe(self, packet: VideoPacket) -> Frame | None:
        if packet.corrupt:
            return None
        image = self._pool.decode(self._stream.codec_context, packet.native)
        if image is None:
            return None
        return Frame(image, packet.time, packet.pts, keyframe=True, index=packet.index)

    def set_gather(self, seconds: float | None) -> bool:
        self._gather = seconds or 0.0
        if self._reader is None:
            return False
        self._reader.gather = seconds
        return self._reader.gathers

    def abort(self) -> None:
        self._stopping.set()
        if self._reader is not None:
            self._reader.abort()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._stopping.set()
        with contextlib.suppress(av.error.FFmpegError, OSError, SourceError):
            self._container.close()
        if self._reader is not None:
            with contextlib.suppress(OSError):
                self._reader.close()

    @property
    def clock_offset(self) -> float | None:
        return self._offset(self._latest[0], self._latest[1])

    @property
    def native_stream(self) -> VideoStream:
        return self._stream


class _Pace:
    """Holds packets of a file back to the speed of their times."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._start: tuple[float, float] | None = None

    def wait(self, packet: VideoPacket, gather: float) -> None:
        """Until the packet's time; having to wait, `gather` seconds longer, so that the next need not."""
        moment = packet.time.timestamp()
        if self._start is None:
            self._start = (time.monotonic(), moment)
        delay = self._start[0] + (moment - self._start[1]) - time.monotonic()
        delay += gather if delay > 0 else 0.0
        while delay > 0 and not self._stopping.is_set():
            time.sleep(min(delay, 0.6))  # dearer to wait on the event, and there are many packets
            delay -= 0.6
