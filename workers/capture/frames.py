"""The node's frame store: JPEG files in memory (tmpfs), a 0700 folder, bounded in size and age."""

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

logger = logging.getLogger(__name__)
OLDEST = 600.0
"""Seconds after which a frame is deleted whoever may still want it; its slot then says frame_lost."""
CHECK_EVERY = 2.0
QUALITY = 90


class FrameStore:
    """Frames by reference: what travels in messages is a path."""

    def __init__(self, root: Path | None = None, megabytes: int | None = None) -> None:
        self.root = Path(root or settings.VANTAGE_FRAMES)
        self.limit = (megabytes or settings.VANTAGE_FRAMES_MB) * 2**20
        self._checked = 0.0

    def write(self, frame: Frame, name: UUID | str) -> Path:
        """Write the picture as `<name>.jpg`; the reader sees the whole file or none. Raises OSError."""
        self.prepare()
        if time.monotonic() - self._checked > CHECK_EVERY:
            self._checked = time.monotonic()
            self.sweep()
        return write_jpeg(frame, self.root / f"{name}.jpg", quality=QUALITY)

    def prepare(self) -> None:
        """Make the folder, closed to others."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def delete(self, path: str | Path) -> None:
        """Delete one frame; a path outside the store is left alone."""
        target = Path(path)
        if target.parent == self.root:
            with contextlib.suppress(OSError):
                target.unlink()

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
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
            gone += 1
        if gone:
            logger.warning("frame store: deleted %d frames that were too old or too many", gone)
        return gone

    def _files(self) -> list[tuple[float, int, str]]:
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    found.append((facts.st_mtime, facts.st_size, entry.path))
        return found
