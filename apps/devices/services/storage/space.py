"""How full the disk under the media is, and what may still be written to it.

Writes stop in order: clips, then snapshots, then pictures of events. A reserved file keeps room for the last
ones (and for a database on the same disk): it is given up when the disk is full, and made again first of all
when there is room.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.devices.choices import MediaClass, StorageLevel

RESERVE = ".reserve"
PATIENCE = 5.0
"""Seconds for which a quota's sum of file sizes is believed; each write is added to it meanwhile."""

#: What is written of each class stops with this group; evidence goes with the pictures of events.
GROUPS = {
    MediaClass.CLIP: "clip",
    MediaClass.CAPTURE: "snapshot",
    MediaClass.CLEAR_CAPTURE: "snapshot",
    MediaClass.COVER: "snapshot",
    MediaClass.EVENT_PICTURE: "event",
    MediaClass.EVIDENCE: "event",
}
_sums: dict[Path, tuple[float, int]] = {}


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the disk (or quota) under a folder. `reserve` is how much of `used` is the reserved file.

    free: what is left for media after the reserve was set aside. room: what can be written at this moment.
    """

    total: int
    free: int
    room: int
    reserve: int
    wanted_reserve: int

    @property
    def share(self) -> float:
        """Per cent free."""
        return 100.0 * self.free / self.total if self.total else 0.0

    @property
    def level(self) -> StorageLevel:
        """What has stopped."""
        stop = settings.VANTAGE_MEDIA_STOP
        if self.share < stop["event"]:
            return StorageLevel.FULL
        if self.share < stop["snapshot"]:
            return StorageLevel.NO_SNAPSHOTS
        if self.share < stop["clip"]:
            return StorageLevel.NO_CLIPS
        return StorageLevel.ENOUGH

    def permits(self, media_class: str, size: int) -> bool:
        """May a file of this class and size be written? Pictures of events may as long as there is any room."""
        group = GROUPS[MediaClass(media_class)]
        return self.room >= size and (group == "event" or self.share >= settings.VANTAGE_MEDIA_STOP[group])


def measure(root: Path) -> Space:
    """The space under `root`; the folder is made if it is not there. Raises OSError."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    reserve = _reserved(root)
    facts = os.statvfs(root)
    total, free = facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize
    if quota := int(settings.VANTAGE_MEDIA_QUOTA_MB * 2**20):
        total, free = min(total, quota), min(free, quota - _used(root))
    wanted = min(int(settings.VANTAGE_MEDIA_RESERVE_MB * 2**20), total // 10)
    left = max(0, free - (wanted - min(reserve, wanted)))
    return Space(total, left, max(0, free), reserve, wanted)


def keep_reserve(root: Path) -> Space:
    """Give the reserve up when the disk is full, make it again when there is room; the space afterwards."""
    space = measure(root)
    if space.level != StorageLevel.ENOUGH:
        forget(root)
        space = measure(root)
    if space.level == StorageLevel.FULL:
        if space.reserve:
            free_reserve(root)
            space = measure(root)
    elif space.reserve < space.wanted_reserve:
        with contextlib.suppress(OSError):
            _fill(root / RESERVE, space.wanted_reserve)
        forget(root)
        space = measure(root)
    return space


def free_reserve(root: Path) -> bool:
    """Delete the reserved file; False if there was none."""
    try:
        (root / RESERVE).unlink()
    except OSError:
        return False
    forget(root)
    return True


def added(root: Path, size: int) -> None:
    """A file was written: the sum kept for a quota grows."""
    at, used = _sums.get(root, (0.0, 0))
    if at:
        _sums[root] = (at, used + size)


def forget(root: Path) -> None:
    """Count again at the next look."""
    _sums.pop(root, None)


def _reserved(root: Path) -> int:
    try:
        return (root / RESERVE).stat().st_size
    except OSError:
        return 0


def _fill(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _used(root: Path) -> int:
    at, used = _sums.get(root, (0.0, 0))
    if not at or time.monotonic() - at > PATIENCE:
        used = _sum(root)
        _sums[root] = (time.monotonic(), used)
    return used


def _sum(root: Path) -> int:
    size = 0
    for folder, _folders, files in os.walk(root):
        for name in files:
            with contextlib.suppress(OSError):
                size += os.stat(os.path.join(folder, name)).st_size
    return size
