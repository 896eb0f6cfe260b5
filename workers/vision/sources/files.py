"""Video files and folders of images, only inside the folders that the options allow."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.base import VideoSource
from workers.vision.sources.container import ContainerSource, open_container, refuse_nested
from workers.vision.sources.images import ImageFolder
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.registry import register
from workers.vision.sources.urls import StreamUrl
from workers.vision.sources.web import NO_PROTOCOL

FILE_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,gif,asf,h264,hevc"


@register("file")
def open_file(url: StreamUrl, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
    """Open a file or folder below options.file_roots; everything else reads as not permitted."""
    path = inside(Path(url.path), options.file_roots)
    if path.is_dir():
        return ImageFolder(path, options)
    handle = _FileReader(open_inside(path, options.file_roots))
    try:
        container = open_container(
            handle,
            options,
            io_open=refuse_nested,
            ffmpeg={
                "analyzeduration": "1000000",  # microseconds; enough to see the rate of a stream without a header
                "protocol_whitelist": NO_PROTOCOL,
                "format_whitelist": FILE_FORMATS,
            },
        )
    except BaseException:
        handle.close()
        raise
    return ContainerSource(container, live=False, options=options, reader=handle)


def inside(path: Path, roots: Sequence[Path]) -> Path:
    """The real path, links resolved, if it lies in one of the roots."""
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        raise SourceError(SourceFault.REFUSED, "The file is not in a folder that is permitted.")
    return real


def open_inside(path: Path, roots: Sequence[Path]) -> IO[bytes]:
    """Open a regular file and check again what was really opened, so that a link swapped in gains nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise SourceError(SourceFault.NOT_FOUND, "The file does not exist or cannot be read.") from None
    try:
        opened = Path(f"/proc/self/fd/{descriptor}")
        if opened.exists():
            inside(opened, roots)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceError(SourceFault.REFUSED, "Only regular files can be opened.")
        return io.FileIO(descriptor, "rb", closefd=True)
    except BaseException:
        os.close(descriptor)
        raise


class _FileReader:
    """A file for PyAV; reading a local file never waits, so abort has nothing to do. Its packets' pace gathers."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self.gather: float | None = None
        self.gathers = True
        self.failure: SourceError | None = None

    def read(self, size: int = 65536) -> bytes:
        return self._handle.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def abort(self) -> None:
        return

    def close(self) -> None:
        self._handle.close()
