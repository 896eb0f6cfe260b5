"""Stored files encrypted, where the crypto profile asks for it; a plain file stays readable."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from django.db.models import Q

from apps.core.crypto import provider
from apps.devices.choices import MediaState
from apps.devices.models import Camera, Capture

logger = logging.getLogger(__name__)
HEAD = 160


def sealed(relative: str, data: bytes) -> bytes:
    """What is written: encrypted and bound to its path, or as it is."""
    keys = provider()
    return keys.wrap(data, context=relative) if keys.encrypts_media else data


def opened(relative: str, data: bytes) -> bytes:
    """What was given to `sealed`; raises FileNotFoundError for a file that was changed or whose key is destroyed."""
    keys = provider()
    if not keys.wrapped_by(data):
        return data
    try:
        return keys.unwrap(data, context=relative)
    except ValueError as error:
        logger.error("stored file %s cannot be opened: %s", relative, error)
        raise FileNotFoundError(relative) from None


def present_mark() -> str:
    """What `Capture.sealed_with` holds for a file written now."""
    keys = provider()
    return keys.prefix if keys.encrypts_media else ""


class CaptureHolder:
    """Files of captures for `rotation`: what is under another key, or plain where it should not be."""

    def _rows(self) -> Any:
        keys = provider()
        wrong = ~Q(sealed_with__in=["", keys.prefix])
        if keys.encrypts_media:
            wrong |= Q(sealed_with="")
        stored = Capture.objects.filter(deleted_at__isnull=True).exclude(media_state=MediaState.NOT_KEPT)
        return stored.filter(wrong)

    def old(self) -> int:
        """See rotation.Holder."""
        return int(self._rows().count())

    def step(self, limit: int) -> int:
        """See rotation.Holder. A file that is gone counts as done; a store that is away ends the step."""
        done = 0
        for row in self._rows().order_by("pk")[:limit]:
            if not _renewed(row.path):
                break
            Capture.objects.filter(pk=row.pk).update(sealed_with=provider().prefix)
            done += 1
        return done


class CoverHolder:
    """The cameras' latest pictures; each is soon overwritten, so that only those of silent cameras are old."""

    _clean_for = ""

    def _paths(self) -> list[str]:
        keys = provider()
        paths = Camera.objects.exclude(cover="").values_list("cover", flat=True)
        wanted = {keys.prefix} if keys.encrypts_media else {keys.prefix, ""}
        return [path for path in paths if keys.wrapped_by(_head(path)) not in wanted and _head(path)]

    def old(self) -> int:
        """See rotation.Holder. The files are looked at once per key and process."""
        if CoverHolder._clean_for == provider().prefix:
            return 0
        count = len(self._paths())
        if not count:
            CoverHolder._clean_for = provider().prefix
        return count

    def step(self, limit: int) -> int:
        """See rotation.Holder."""
        if CoverHolder._clean_for == provider().prefix:
            return 0
        paths = self._paths()[:limit]
        if not paths:
            CoverHolder._clean_for = provider().prefix
        return sum(_renewed(path) for path in paths)


def _head(relative: str) -> bytes:
    from apps.devices.services.storage import store

    try:
        return store.read_raw(relative)[:HEAD]
    except (OSError, store.StorageAway):
        return b""


def _renewed(relative: str) -> bool:
    """Write the file under the present key; False when the storage does not answer now."""
    from apps.devices.services.storage import store

    keys = provider()
    try:
        data = store.read_raw(relative)
    except FileNotFoundError:
        return True
    except (OSError, store.StorageAway):
        return False
    try:
        fresh = (
            keys.rewrap(data, context=relative)
            if keys.wrapped_by(data)
            else keys.wrap(data, context=relative)
        )
        store.replace_raw(relative, fresh)
    except ValueError as error:
        logger.error("stored file %s cannot be opened: %s", relative, error)
    except (OSError, store.StorageAway):
        return False
    return True


def destroy(path: Path) -> None:
    """Make a local file unreadable before it is unlinked: zeros over all of it, so its wrapped key too."""
    try:
        size = path.stat().st_size
        with path.open("r+b", buffering=0) as file:
            left = size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
