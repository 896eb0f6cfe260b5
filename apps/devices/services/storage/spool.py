"""From the spool of this machine into the object store."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.devices.choices import MediaState
from apps.devices.models import Capture
from apps.devices.services.storage import space, store

THREADS = 4
LOCK = ".lock"
ORPHAN = 3600.0
"""Seconds after which a spooled picture without a row is given up."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """How many files went, how many still wait, and whether the store answered."""

    done: int = 0
    waiting: int = 0
    is_away: bool = False


def upload_spooled(limit: int = 400) -> Uploaded:
    """Upload what waits in this machine's spool, oldest first; the first failure ends the round.

    May run twice: a file is uploaded over itself, and one process at a time works on a spool.
    """
    folder = Path(settings.VANTAGE_SPOOL)
    if not store.is_remote() or not folder.is_dir():
        return Uploaded()
    with _alone(folder) as mine:
        if not mine:
            return Uploaded()
        files = _committed(folder, _waiting(folder))
        done = 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix="upload") as pool:
            for start in range(0, min(limit, len(files)), THREADS):
                batch = files[start : min(start + THREADS, limit)]
                sent = [
                    path for path, went in zip(batch, pool.map(_upload(folder), batch), strict=True) if went
                ]
                _mark(sent)
                done += len(sent)
                if len(sent) < len(batch):
                    return Uploaded(done, len(files) - done, is_away=True)
        if done:
            store.note_success()
            space.forget(folder)
        return Uploaded(done, len(files) - done)


def _committed(folder: Path, files: list[Path]) -> list[Path]:
    """Without files whose row is not there yet; a picture that never got one (its batch failed) is deleted."""
    captures = {path: UUID(path.stem) for path in files if path.is_relative_to(folder / "frames")}
    known = set(Capture.objects.filter(pk__in=captures.values()).values_list("pk", flat=True))
    ready = []
    for path in files:
        if path not in captures or captures[path] in known:
            ready.append(path)
        elif time.time() - path.stat().st_mtime > ORPHAN:
            path.unlink(missing_ok=True)
    return ready


def _upload(folder: Path) -> Callable[[Path], bool]:
    def one(path: Path) -> bool:
        try:
            store.upload(str(path.relative_to(folder)), path.read_bytes())
        except FileNotFoundError:
            return True
        except store.StorageAway:
            return False
        return True

    return one


def _mark(sent: list[Path]) -> None:
    """Rows first, then the files: a crash between the two uploads once more."""
    captures = [UUID(path.stem) for path in sent if path.parent.name != "covers"]
    Capture.objects.filter(pk__in=captures, media_state=MediaState.PENDING).update(
        media_state=MediaState.STORED
    )
    for path in sent:
        path.unlink(missing_ok=True)


def _waiting(folder: Path) -> list[Path]:
    found = []
    for parent, _folders, names in os.walk(folder):
        for name in names:
            if name.startswith(".") or name.endswith(".part"):
                continue
            path = Path(parent) / name
            try:
                found.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:
                continue
    return [path for _, path in sorted(found)]


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    descriptor = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
