"""RTSP goes through our relay, as FFmpeg can be led elsewhere; RTMP connects to the vetted address itself.

FFmpeg's RTMP client follows no redirect (`ex.redirect` in an answer is not read): when it connects again, to
log in, it is to the same address.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from av.container import InputContainer

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.base import VideoSource
from workers.vision.sources.container import FAST_OPENING, ContainerSource, open_container
from workers.vision.sources.http import vetted_address
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.registry import register
from workers.vision.sources.relay import Relay
from workers.vision.sources.urls import StreamUrl

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

    def offset(pts: float | None, moment: datetime | None) -> float | None:
        # RTCP sender reports carry the camera's clock; FFmpeg turns them into the stream's start time.
        start = container.start_time_realtime
        if not start or start < 0 or pts is None or moment is None:
            return None
        return start / 1_000_000 + pts - moment.timestamp()

    return ContainerSource(container, live=True, options=options, reader=relay, offset=offset)


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
