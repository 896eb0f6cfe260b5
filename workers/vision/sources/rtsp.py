"""RTSP is opened through our relay, as FFmpeg can be led elsewhere; RTMP connects to the vetted address itself.

Once a camera plays H.264 or H.265 interleaved in TCP we read it ourselves (playing.py); all else stays with FFmpeg.

FFmpeg's RTMP client follows no redirect (`ex.redirect` in an answer is not read): when it connects again, to
log in, it is to the same address.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.base import VideoSource
from workers.vision.sources.container import FAST_OPENING, ContainerSource, open_container
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.h264 import is_progressive
from workers.vision.sources.http import vetted_address
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.playing import Login, Playing
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.registry import register
from workers.vision.sources.relay import Relay
from workers.vision.sources.rtp import Pictures, payload_type
from workers.vision.sources.urls import StreamUrl

TICK = Fraction(1, 90_000)
REORDER = 2
"""Pictures by which a stream with B pictures presents later than it decodes."""
RTSP_PROTOCOLS = {"tcp": "rtp,tcp", "udp": "rtp,udp,tcp"}


@register("rtsp")
def open_rtsp(url: StreamUrl, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
    """Open an RTSP camera over TCP or UDP."""
    started = time.monotonic()
    relay = Relay(vetted_address(url, policy), url.port, options)
    try:
        left = max(0.2, options.connect_timeout - (time.monotonic() - started))
        container = _open_through(relay, url, replace(options, connect_timeout=left))
    except BaseException as error:
        relay.close()
        # What the camera answered says more than that the connection broke off afterwards.
        answered = (SourceFault.UNAUTHORISED, SourceFault.NOT_FOUND)
        if isinstance(error, SourceError) and error.fault not in answered and relay.failure:
            raise relay.failure from None
        raise

    try:
        return RtspSource(container, relay, url, options)
    except BaseException:
        container.close()
        relay.close()
        raise


class RtspSource(ContainerSource):
    """A camera: its packets put together by us where we can, else demuxed by FFmpeg behind the relay."""

    def __init__(
        self, container: InputContainer, relay: Relay, url: StreamUrl, options: SourceOptions
    ) -> None:
        super().__init__(container, live=True, options=options, reader=relay, offset=self._ahead)
        self._relay = relay
        self._playing = self._take_over(url, options)
        if self._playing is None:
            relay.keep()
        self._delay = REORDER if self._stream.codec_context.has_b_frames else 0

    def _take_over(self, url: StreamUrl, options: SourceOptions) -> Playing | None:
        context, agreed = self._stream.codec_context, self._relay.agreed
        payload = payload_type(agreed.description)
        readable = context.name == "hevc" or (
            context.name == "h264" and is_progressive(bytes(context.extradata or b""))
        )
        alone = len(self._container.streams) == 1 == len(agreed.channels) and options.transport == "tcp"
        if not (readable and alone and payload is not None and self._stream.time_base == TICK):
            return None
        connection = self._relay.take_over()
        if connection is None:
            return None
        return Playing(
            connection,
            Pictures(context.name, payload),
            Login(url.user, url.password, agreed.challenges),
            channel=agreed.channels[0],
            timeout=options.read_timeout,
        )

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        if self._playing is None:
            yield from super()._packets()
            return
        waiting: list[int] = []
        try:
            for picture in self._playing:
                packet = cast("av.Packet[VideoStream]", av.Packet(picture.data))
                packet.stream, packet.time_base = self._stream, TICK
                packet.pts = picture.pts
                insort(waiting, picture.pts)
                if len(waiting) > self._delay:
                    packet.dts = waiting.pop(0)
                packet.is_keyframe, packet.is_corrupt = picture.is_keyframe, picture.corrupt
                yield packet
        except (OSError, SourceError) as error:
            if self._stopping.is_set():
                raise SourceError(SourceFault.CLOSED, "The source was closed.") from None
            raise as_source_error(self._relay.failure or error) from None
        if self._stopping.is_set():
            raise SourceError(SourceFault.CLOSED, "The source was closed.")

    def set_gather(self, seconds: float | None) -> bool:
        if self._playing is None:
            return super().set_gather(seconds)
        self._playing.gather = seconds
        return True

    def _ahead(self, pts: float | None, moment: datetime | None) -> float | None:
        # RTCP sender reports carry the camera's clock; FFmpeg turns them into the stream's start time.
        if pts is None or moment is None:
            return None
        if self._playing is not None:
            clock = self._playing.pictures.clock(round(pts / TICK))
            return None if clock is None else clock - moment.timestamp()
        start = self._container.start_time_realtime
        return start / 1_000_000 + pts - moment.timestamp() if start and start > 0 else None


def _open_through(relay: Relay, url: StreamUrl, options: SourceOptions) -> InputContainer:
    return open_container(
        replace(url, port=relay.port).with_address(relay.host),
        options,
        format="rtsp",
        ffmpeg={
            **FAST_OPENING,
            "protocol_whitelist": RTSP_PROTOCOLS[options.transport],
            "format_whitelist": "rtsp",
            "rtsp_transport": options.transport,
            "allowed_media_types": "video+audio" if options.audio else "video",
            "timeout": str(int(options.read_timeout * 1_000_000)),
        },
    )


@register("rtmp")
def open_rtmp(url: StreamUrl, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
    """Open an RTMP stream for playing."""
    container = open_container(
        url.with_address(vetted_address(url, policy)),
        options,
        format="flv",
        ffmpeg={
            **FAST_OPENING,
            "protocol_whitelist": "rtmp,tcp",
            "format_whitelist": "flv",
            "rtmp_live": "live",
        },
    )
    return ContainerSource(container, live=True, options=options)
