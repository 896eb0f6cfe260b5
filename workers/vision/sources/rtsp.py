"""RTSP and RTMP: FFmpeg connects itself, so it is given the vetted address and may use nothing else."""

from __future__ import annotations

from datetime import datetime

from workers.vision.sources.base import VideoSource
from workers.vision.sources.container import FAST_OPENING, ContainerSource, open_container
from workers.vision.sources.http import vetted_address
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.registry import register
from workers.vision.sources.urls import StreamUrl

RTSP_PROTOCOLS = {"tcp": "rtp,tcp", "udp": "rtp,udp,tcp"}


@register("rtsp")
def open_rtsp(url: StreamUrl, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
    """Open an RTSP camera over TCP or UDP."""
    container = open_container(
        url.with_address(vetted_address(url, policy)),
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

    def offset(pts: float | None, moment: datetime | None) -> float | None:
        # RTCP sender reports carry the camera's clock; FFmpeg turns them into the stream's start time.
        start = container.start_time_realtime
        if not start or start < 0 or pts is None or moment is None:
            return None
        return start / 1_000_000 + pts - moment.timestamp()

    return ContainerSource(container, live=True, options=options, offset=offset)


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
