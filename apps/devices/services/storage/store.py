"""Writing and reading one file of the media storage."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from apps.devices.choices import MediaClass, MediaState
from apps.devices.services.storage import space
from apps.devices.services.storage.sealing import destroy, opened, sealed

logger = logging.getLogger(__name__)
REST = 30.0
"""Seconds for which a store that failed is not asked again by those who can do without."""
_resting_until = 0.0


class StorageAway(Exception):
    """The object store does not answer; what is asked for may well be there."""


def is_remote() -> bool:
    """Pictures go to an object store."""
    return not isinstance(storages["default"], FileSystemStorage)


def root() -> Path:
    """Where files are written on this machine: the media folder, or the spool before an object store."""
    return Path(settings.VANTAGE_SPOOL if is_remote() else settings.MEDIA_ROOT)


def keep_reserve() -> space.Space:
    """The space where this machine writes, its reserve given up or made again as it must be. Raises OSError."""
    return space.keep_reserve(root())


def _inside(folder: Path, relative: str) -> Path:
    base = folder.resolve()
    path = (base / relative).resolve()
    if not path.is_relative_to(base):
        raise ValueError("path leaves the media folder")
    return path


def media_path(relative: str) -> Path:
    """The local file of a stored path; raises ValueError for one that leaves the media folder."""
    return _inside(Path(settings.MEDIA_ROOT), relative)


def put(relative: str, data: bytes, media_class: str) -> MediaState:
    """Keep a file: stored, pending (in the spool, to be uploaded), or not_kept for want of room. Never raises OSError.

    The reader sees the whole file or none.
    """
    folder = root()
    target = _inside(folder, relative)
    data = sealed(relative, data)
    kept = _try(folder, target, data, media_class)
    if not kept and space.GROUPS[MediaClass(media_class)] == "event" and space.free_reserve(folder):
        kept = _try(folder, target, data, media_class)  # into the room that the reserve kept
    if not kept:
        return MediaState.NOT_KEPT
    space.added(folder, len(data))
    return MediaState.PENDING if is_remote() else MediaState.STORED


def _try(folder: Path, target: Path, data: bytes, media_class: str) -> bool:
    try:
        if not space.measure(folder).permits(media_class, len(data)):
            return False
        _write(target, data)
    except OSError as error:
        logger.error("media storage: %s not kept: %s", target.name, error.strerror)
        return False
    return True


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def read(relative: str) -> bytes:
    """The file's bytes as they were given to `put`; raises as `read_raw`."""
    return opened(relative, read_raw(relative))


def replace_raw(relative: str, data: bytes) -> None:
    """Write a file again as it shall lie, whatever room there is; raises OSError, StorageAway."""
    if is_remote() and not _inside(Path(settings.VANTAGE_SPOOL), relative).is_file():
        upload(relative, data)
        return
    _write(_inside(root(), relative), data)


def read_raw(relative: str) -> bytes:
    """The file's bytes as they lie, from the spool while it waits there.

    Raises FileNotFoundError where there is none, StorageAway where the store does not say, ValueError for a path
    outside the storage.
    """
    if not is_remote():
        return media_path(relative).read_bytes()
    try:
        return _inside(Path(settings.VANTAGE_SPOOL), relative).read_bytes()
    except FileNotFoundError:
        pass
    if time.monotonic() < _resting_until:
        raise StorageAway("the store failed a moment ago")
    try:
        with storages["default"].open(relative, "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise
    except Exception as error:  # every client library has its own errors
        note_failure(error)
        raise StorageAway(type(error).__name__) from None


def upload(relative: str, data: bytes) -> None:
    """Put one file into the object store, over an older one; raises StorageAway."""
    try:
        storages["default"].save(relative, ContentFile(data))
    except Exception as error:
        note_failure(error)
        raise StorageAway(type(error).__name__) from None


def note_failure(error: Exception) -> None:
    """Readers leave the store alone for a while; its answer never reaches a page."""
    global _resting_until
    _resting_until = time.monotonic() + REST
    logger.warning("object store: %s", type(error).__name__)


def note_success() -> None:
    """The store answers again."""
    global _resting_until
    _resting_until = 0.0


def delete(relative: str) -> None:
    """Delete a file wherever it lies; nothing happens when it is gone. Raises StorageAway."""
    folder = root()
    destroy(_inside(folder, relative))
    with contextlib.suppress(FileNotFoundError):
        _inside(folder, relative).unlink()
    space.forget(folder)
    if is_remote():
        try:
            storages["default"].delete(relative)
        except Exception as error:
            note_failure(error)
            raise StorageAway(type(error).__name__) from None
