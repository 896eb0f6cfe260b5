"""Why a source gave no picture: one enum of faults, one exception."""

from __future__ import annotations

from enum import StrEnum


class SourceFault(StrEnum):
    """Causes, stable: they are stored and translated by the rooms."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    UNSUPPORTED_SCHEME = "unsupported_scheme"
    UNSUPPORTED_CODEC = "unsupported_codec"
    INVALID_URL = "invalid_url"
    NO_VIDEO = "no_video"
    NO_KEYFRAME = "no_keyframe"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    ENDED = "ended"
    CLOSED = "closed"


class SourceError(Exception):
    """A source cannot give (more) pictures.

    fault: the cause. message: one English sentence for people, free of credentials and of any content
    that was read. detail: for the audit and the platform administrator only, never for a bureau's form.
    """

    def __init__(self, fault: SourceFault, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.fault.value}: {self.message}"
