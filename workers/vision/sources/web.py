"""HTTP sources: FLV, MPEG-TS, motion JPEG and HLS, read by our guarded reader for PyAV."""

from __future__ import annotations

import time
from http.client import HTTPException

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.base import VideoSource
from workers.vision.sources.container import (
    FAST_OPENING,
    ContainerSource,
    Reader,
    open_container,
    refuse_nested,
)
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.hls import HlsReader
from workers.vision.sources.http import GuardedResponse, open_http
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.registry import register
from workers.vision.sources.urls import StreamUrl

NO_PROTOCOL = "none"
"""A protocol_whitelist that matches no protocol of FFmpeg."""


@register("http", "https")
def open_web(url: StreamUrl, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
    """Open what the server sends, told by its first bytes."""
    response = open_http(url, policy=policy, options=options)
    try:
        start = response.peek(512)
        if start.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
            return _open_hls(url, policy, options, response)
        kind = sniff(start, response.content_type)
    except BaseException as error:
        response.close()
        if isinstance(error, OSError):
            raise as_source_error(error) from None
        raise
    return _open_reader(_Body(response), kind, live=True, options=options, offset=response.clock_offset)


class _Body:
    """The rest of an answer as a Reader."""

    def __init__(self, response: GuardedResponse) -> None:
        self._response = response
        self.failure: SourceError | None = None
        self.gather: float | None = None
        self.gathers = True
        self._rest = float("-inf")

    def read(self, size: int = 65536) -> bytes:
        try:
            if self.failure:
                return b""
            wait = self._rest - time.monotonic()
            if self.gather is not None and 0 < wait <= self.gather:
                time.sleep(wait)
            data = self._response.read(size)
            if self.gather is not None:
                # More lies there already where this was as much as fits.
                self._rest = time.monotonic() + (self.gather if len(data) < size else 0.0)
            return data
        except (OSError, ValueError, HTTPException) as error:
            self.failure = as_source_error(error)
            return b""

    def abort(self) -> None:
        self._response.abort()

    def close(self) -> None:
        self._response.close()


def sniff(start: bytes, content_type: str) -> str:
    """FFmpeg's name of the container; raises SourceError for anything that is not plainly a video."""
    if start.startswith(b"FLV"):
        return "flv"
    if start[:1] == b"\x47" and (len(start) <= 188 or start[188:189] == b"\x47"):
        return "mpegts"
    if start[4:8] == b"ftyp":
        return "mp4"
    if content_type == "multipart/x-mixed-replace":
        return "mpjpeg"
    raise SourceError(
        SourceFault.NO_VIDEO, "The address gives no FLV, MPEG-TS, MP4, motion JPEG or HLS stream."
    )


def _open_hls(
    url: StreamUrl, policy: AddressPolicy, options: SourceOptions, first: GuardedResponse
) -> VideoSource:
    login = url.with_address(url.host)
    reader = HlsReader(login, policy=policy, options=options, first=first)
    return _open_reader(
        reader, reader.container_format, live=reader.live, options=options, offset=reader.clock_offset
    )


def _open_reader(
    reader: Reader, kind: str, *, live: bool, options: SourceOptions, offset: float | None
) -> VideoSource:
    try:
        container = open_container(
            reader,
            options,
            format=kind,
            io_open=refuse_nested,
            ffmpeg={
                **FAST_OPENING,
                "protocol_whitelist": NO_PROTOCOL,
                "format_whitelist": f"{kind},mov,mp4",
            },
        )
    except BaseException:
        reader.close()
        raise
    return ContainerSource(
        container, live=live, options=options, reader=reader, offset=lambda pts, moment: offset
    )
