"""Scheme → opener, and the one function that opens a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.base import VideoSource
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy, RefuseAll
from workers.vision.sources.urls import StreamUrl, validate_url

Opener: TypeAlias = Callable[[StreamUrl, AddressPolicy, SourceOptions], VideoSource]

_OPENERS: dict[str, Opener] = {}


def register(*schemes: str) -> Callable[[Opener], Opener]:
    """Decorator: this function opens these schemes. A scheme must also be listed in urls.SCHEMES."""

    def add(opener: Opener) -> Opener:
        for scheme in schemes:
            if scheme in _OPENERS:
                raise ValueError(f"the scheme {scheme} has an opener already")
            _OPENERS[scheme] = opener
        return opener

    return add


def open_source(
    url: str, *, policy: AddressPolicy | None = None, options: SourceOptions | None = None
) -> VideoSource:
    """Open a stream, a file or a folder of images; use the result as a context manager.

    Without a policy every network address is refused; without options.file_roots every file is.
    Raises SourceError.
    """
    options = options or SourceOptions()
    checked = validate_url(url, file_roots=options.file_roots)
    opener = _OPENERS.get(checked.scheme)
    if opener is None:
        raise SourceError(SourceFault.UNSUPPORTED_SCHEME, "Sources of this kind cannot be opened.")
    return opener(checked, policy or RefuseAll(), options)
