"""Stored files under the present key: what a change of keys, or of the crypto profile, rewrites."""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from django.db.models import Q

from apps.core.crypto import provider
from apps.devices.choices import MediaState
from apps.devices.models import Camera, Capture
from apps.devices.services.storage import store

logger = logging.getLogger(__name__)


class Result(Enum):
    """What became of a file: under the present key now, gone or unreadable for good, or not to be had at present."""

    RENEWED = auto()
    LOST = auto()
    AWAY = auto()


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
            if _renew(row.path) is Result.AWAY:
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
        return [path for path in paths if (data := _read(path)) and keys.wrapped_by(data) not in wanted]

    def old(self) -> int:
        """See rotation.Holder. The files are looked at once per key and process."""
        if CoverHolder._clean_for == provider().prefix:
            return 0
        count = len(self._paths())
        if not count:
            CoverHolder._clean_for = provider().prefix
        return count

    def step(self, limit: int) -> int:
        """See rotation.Holder. A lost cover is taken off its camera, or it would count as old for ever."""
        if CoverHolder._clean_for == provider().prefix:
            return 0
        paths = self._paths()[:limit]
        if not paths:
            CoverHolder._clean_for = provider().prefix
        results = {path: _renew(path) for path in paths}
        lost = [path for path, result in results.items() if result is Result.LOST]
        Camera.objects.filter(cover__in=lost).update(cover="", cover_at=None)
        return sum(result is not Result.AWAY for result in results.values())


def _read(relative: str) -> bytes:
    try:
        return store.read_raw(relative)
    except (OSError, store.StorageAway):
        return b""


def _renew(relative: str) -> Result:
    """Write the file under the present key."""
    keys = provider()
    try:
        data = store.read_raw(relative)
    except FileNotFoundError:
        return Result.LOST
    except (OSError, store.StorageAway):
        return Result.AWAY
    try:
        fresh = (
            keys.rewrap(data, context=relative)
            if keys.wrapped_by(data)
            else keys.wrap(data, context=relative)
        )
        store.replace_raw(relative, fresh)
    except ValueError as error:
        logger.error("stored file %s cannot be opened: %s", relative, error)
        return Result.LOST
    except (OSError, store.StorageAway):
        return Result.AWAY
    return Result.RENEWED
