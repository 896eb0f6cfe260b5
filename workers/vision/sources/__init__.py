"""Guarded opening of video: RTSP, RTMP, HTTP-FLV, HTTP MPEG-TS, HLS, files and folders of images."""

from __future__ import annotations

from workers.vision.sources.base import StreamInfo, VideoPacket, VideoSource
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy, RefuseAll

__all__ = ["AddressPolicy", "RefuseAll", "SourceOptions", "StreamInfo", "VideoPacket", "VideoSource"]
