"""How a source is opened: transport, time limits, allowed folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Settings of one opening.

    transport: RTSP over tcp or udp. connect_timeout, read_timeout: seconds.
    file_roots: folders in which files and image folders may be opened; empty means none.
    realtime: a file is read at the pace of its timestamps, as a camera would send it.
    loop: a file or folder starts again at its end. image_interval: seconds between the images of a folder.
    audio: an RTSP camera is asked for its audio track too (a probe wants to know of it).
    max_playlist_bytes, max_segment_bytes: caps for HLS.
    """

    transport: Literal["tcp", "udp"] = "tcp"
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    file_roots: tuple[Path, ...] = field(default=())
    realtime: bool = False
    loop: bool = False
    image_interval: float = 1.0
    audio: bool = False
    max_playlist_bytes: int = 1 << 20
    max_segment_bytes: int = 64 << 20
