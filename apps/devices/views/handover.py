"""Handing a finished picture to the web server before us, so that a slow reader costs us nothing (X-Accel-Redirect)."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.http import HttpResponse

logger = logging.getLogger(__name__)
KEPT_SECONDS = 60.0
SWEEP_EVERY = 10.0
_swept = 0.0


def handed_over(response: HttpResponse, taken: datetime | None) -> HttpResponse:
    """The answer with its body in a file and its name in `X-Accel-Redirect`, where the site's nginx is set up for it.

    Every right was checked and everything was drawn before: the file is this answer, for this reader, under a name
    that nobody can guess and that only nginx may ask for. Where it cannot be written, the answer stays as it is.
    """
    if not settings.VANTAGE_ACCEL:
        return response
    folder, name = Path(settings.VANTAGE_RENDITIONS), f"{uuid4().hex}.jpg"
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        _sweep(folder)
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(response.content)
        if taken is not None:  # nginx says when a file was changed: that is when the picture was taken
            os.utime(folder / name, (taken.timestamp(), taken.timestamp()))
    except OSError as error:
        logger.error("pictures cannot be handed to the web server: %s", error.strerror)
        return response
    response.content = b""
    response["X-Accel-Redirect"] = settings.VANTAGE_ACCEL + name
    return response


def _sweep(folder: Path) -> None:
    """Delete what was served or given up, now and then."""
    global _swept
    if time.monotonic() - _swept < SWEEP_EVERY:
        return
    _swept = time.monotonic()
    oldest = time.time() - KEPT_SECONDS
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_ctime < oldest:
                    os.unlink(entry.path)
