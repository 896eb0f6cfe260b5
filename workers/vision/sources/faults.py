"""From the exceptions of PyAV, sockets and http.client to one SourceError in words."""

from __future__ import annotations

import http.client
import ssl

import av.error

from workers.vision.errors import SourceError, SourceFault

_TABLE: tuple[tuple[type[BaseException], SourceFault, str], ...] = (
    (
        av.error.HTTPUnauthorizedError,
        SourceFault.UNAUTHORISED,
        "The camera refused the user name or password.",
    ),
    (av.error.HTTPForbiddenError, SourceFault.UNAUTHORISED, "The camera refused the user name or password."),
    (av.error.HTTPNotFoundError, SourceFault.NOT_FOUND, "The camera has no stream under this address."),
    (av.error.HTTPError, SourceFault.UNREACHABLE, "The server answered with an error."),
    (TimeoutError, SourceFault.TIMEOUT, "The source did not answer in time."),
    (av.error.ExitError, SourceFault.TIMEOUT, "The source did not answer in time."),
    (ssl.SSLError, SourceFault.UNREACHABLE, "The encrypted connection failed: certificate or protocol."),
    (FileNotFoundError, SourceFault.NOT_FOUND, "The file does not exist."),
    (PermissionError, SourceFault.REFUSED, "The file may not be read."),
    (ConnectionRefusedError, SourceFault.UNREACHABLE, "The connection was refused: nothing listens there."),
    (ConnectionError, SourceFault.UNREACHABLE, "The connection was broken off."),
    (av.error.DemuxerNotFoundError, SourceFault.UNSUPPORTED_CODEC, "The container format is not supported."),
    (av.error.DecoderNotFoundError, SourceFault.UNSUPPORTED_CODEC, "The codec is not supported."),
    (av.error.ProtocolNotFoundError, SourceFault.UNSUPPORTED_SCHEME, "The protocol is not supported."),
    (av.error.EOFError, SourceFault.ENDED, "The stream ended."),
    (av.error.InvalidDataError, SourceFault.CORRUPT, "The data is not a video stream, or is damaged."),
    (http.client.HTTPException, SourceFault.UNREACHABLE, "The server's answer is not valid HTTP."),
    (OSError, SourceFault.UNREACHABLE, "The source cannot be reached."),
    (av.error.FFmpegError, SourceFault.UNREACHABLE, "The source cannot be opened or read."),
)


def as_source_error(error: BaseException) -> SourceError:
    """The SourceError that says the same; the original's type name goes to detail, never its text."""
    if isinstance(error, SourceError):
        return error
    for kind, fault, message in _TABLE:
        if isinstance(error, kind):
            return SourceError(fault, message, detail=type(error).__name__)
    return SourceError(
        SourceFault.UNREACHABLE, "The source cannot be opened or read.", detail=type(error).__name__
    )
