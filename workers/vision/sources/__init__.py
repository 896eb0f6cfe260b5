"""Guarded opening of video: RTSP, RTMP, HTTP-FLV, HTTP MPEG-TS, HLS, files and folders of images."""

from __future__ import annotations

from workers.vision.sources import files, rtsp, web  # noqa: F401  they register their schemes
from workers.vision.sources.base import StreamInfo, VideoPacket, VideoSource
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy, RefuseAll
from workers.vision.sources.registry import open_source, register
from workers.vision.sources.urls import StreamUrl, mask_url, validate_url

__all__ = [
    "AddressPolicy",
    "RefuseAll",
    "SourceOptions",
    "StreamInfo",
    "StreamUrl",
    "VideoPacket",
    "VideoSource",
    "mask_url",
    "open_source",
    "register",
    "validate_url",
]
