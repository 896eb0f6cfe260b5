"""The node's frame store: JPEG files and their looks in memory (tmpfs), a 0700 folder, bounded in size and age."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings

from workers.vision.frames import Frame
from workers.vision.keyframes import write_jpeg
from workers.vision.looks import SUFFIX, write_look

logger = logging.getLogger(__name__)
OLDEST = 600.0
"""Seconds after which a frame is deleted whoever may still want it; its slot then says frame_lost."""
CHECK_EVERY = 2.0
QUALITY = 90


def look_of(path: str | Path) -> Path:
    """Where the look of a frame lies, if it has one."""
    return Path(path).with_suffix(SUFFIX)


class FrameStore:
    """Frames by reference: what travels in messages is a path."""

    def __init__(self, root: Path | None = None, megabytes: int | None = None) -> None:
        self.root = Path(root or settings.VANTAGE_FRAMES)
        self.limit = (megabytes or settings.VANTAGE_FRAMES_MB) * 2**20
        self._checked = 0.0

    def write(self, frame: Frame, name: UUID | str) -> Path:
        """Write the picture as `<name>.jpg` and its look; a reader sees a whole file or none. Raises OSError."""
        self._make_room()
        path = write_jpeg(frame, self.root / f"{name}.jpg", quality=QUALITY)
        with contextlib.suppress(OSError):  # without it the engine decodes the JPEG
            write_look(frame.image, look_of(path))
        return path

    def write_look(self, frame: Frame, name: UUID | str, size: tuple[int, int] | None = None) -> Path:
        """Write only the look, `size` (width, height) large; the picture may follow. Raises OSError."""
        self._make_room()
        return write_look(frame.image, look_of(self.root / f"{name}.jpg"), size)

    def write_picture(self, frame: Frame, name: UUID | str) -> Path:
        """Write only `<name>.jpg`. Raises OSError."""
        self._make_room()
        return write_jpeg(frame, self.root / f"{name}.jpg", quality=QUALITY)

    def _make_room(self) -> None:
        self.prepare()
        if time.monotonic() - self._checked > CHECK_EVERY:
            self._checked = time.monotonic()
            self.sweep()

    def keep(self, data: bytes, name: UUID | str) -> Path:
        """Write a JPEG that is encoded already; the reader sees the whole file or none. Raises OSError."""
        self.prepare()
        path = self.root / f"{name}.jpg"
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(path)
        return path

    def prepare(self) -> None:
        """Make the folder, closed to others."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def delete(self, path: str | Path) -> None:
        """Delete one frame and its look; a path outside the store is left alone."""
        target = Path(path)
        if target.parent == self.root:
            for each in (target, look_of(target)):
                with contextlib.suppress(OSError):
                    each.unlink()

    def size(self) -> tuple[int, int]:
        """(bytes, files)."""
        files = self._files()
        return sum(size for _, size, _ in files), len(files)

    def sweep(self) -> int:
        """Delete what is too old, then the oldest until the store is within its limit; returns how many."""
        files = sorted(self._files())
        total, gone, oldest = sum(size for _, size, _ in files), 0, time.time() - OLDEST
        for modified, size, path in files:
            if modified >= oldest and total <= self.limit:
                break
            self.delete(path)
            total -= size
            gone += 1
        if gone:
            logger.warning("frame store: deleted %d frames that were too old or too many", gone)
        return gone

    def _files(self) -> list[tuple[float, int, str]]:
        """(modified, bytes with the look, path) of every frame."""
        found: dict[str, tuple[float, int]] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    path = entry.path.removesuffix(SUFFIX)
                    name = path if path == entry.path else f"{path}.jpg"
                    oldest, size = found.get(name, (facts.st_mtime, 0))
                    found[name] = min(oldest, facts.st_mtime), size + facts.st_size
        return [(modified, size, path) for path, (modified, size) in found.items()]
