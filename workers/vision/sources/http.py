"""A small HTTP reader that connects to the vetted address only: no redirect, no proxy, no second lookup."""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.policy import AddressPolicy
from workers.vision.sources.urls import StreamUrl

_STATUS = {
    401: (SourceFault.UNAUTHORISED, "The camera refused the user name or password."),
    403: (SourceFault.UNAUTHORISED, "The camera refused the user name or password."),
    404: (SourceFault.NOT_FOUND, "The camera has no stream under this address."),
    410: (SourceFault.NOT_FOUND, "The camera has no stream under this address."),
}


def vetted_address(url: StreamUrl, policy: AddressPolicy) -> str:
    """Ask the policy once; the answer must be an IP literal."""
    address = policy.vet(url.host, url.port)
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise SourceError(
            SourceFault.REFUSED,
            "The address is not reachable or not permitted.",
            detail="the policy gave no IP literal",
        ) from None


class _Wire(io.RawIOBase):
    """Reads of one socket under an idle limit and, while set, a deadline for everything together."""

    def __init__(self, connection: _PinnedConnection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        plug = self._connection.plug
        if plug is None:
            return 0
        limit = self._connection.idle
        if self._connection.deadline is not None:
            limit = min(limit, self._connection.deadline - time.monotonic())
            if limit <= 0:
                raise TimeoutError("deadline")
        plug.settimeout(limit)
        return plug.recv_into(buffer)


class _Plug:
    """What http.client takes for a socket: its makefile reads through _Wire."""

    def __init__(self, connection: _PinnedConnection) -> None:
        self._connection = connection

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Wire(self._connection), 65536)

    def sendall(self, data: bytes) -> None:
        if self._connection.plug is not None:
            self._connection.plug.sendall(data)

    def close(self) -> None:
        """The connection closes the socket itself."""


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to one address, whatever the name would resolve to now."""

    def __init__(self, url: StreamUrl, address: str, options: SourceOptions) -> None:
        super().__init__(url.host, url.port, timeout=options.connect_timeout)
        self._tls = url.scheme == "https"
        self.default_port = 443 if self._tls else 80
        self._address = address
        self.idle = options.read_timeout
        self.deadline: float | None = time.monotonic() + options.connect_timeout
        self.plug: socket.socket | None = None

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), timeout=self.timeout)
        if self._tls:
            try:
                raw = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)
            except BaseException:
                raw.close()
                raise
        self.plug = raw
        self.sock = _Plug(self)

    def shut(self) -> None:
        """Unblock a reader in another thread."""
        if self.plug is not None:
            try:
                self.plug.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def hang_up(self) -> None:
        """Close for good. (http.client calls close() itself while the body is still to be read.)"""
        self.close()
        plug, self.plug = self.plug, None
        if plug is not None:
            plug.close()


class GuardedResponse:
    """An answer 200 whose body is read piece by piece; a file object for PyAV (read, close, no seek)."""

    def __init__(self, connection: _PinnedConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self._ahead = b""
        self._closed = False
        self.content_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()

    def read(self, size: int = 65536) -> bytes:
        """Up to size bytes, as soon as there are any; b'' at the end."""
        if self._closed:
            return b""
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._response.read1(size)

    def peek(self, size: int) -> bytes:
        """The first size bytes (fewer at the end) without taking them."""
        while len(self._ahead) < size:
            piece = self._response.read1(size - len(self._ahead))
            if not piece:
                break
            self._ahead += piece
        return self._ahead[:size]

    def read_all(self, limit: int, *, seconds: float) -> bytes:
        """The whole body within a cap of bytes and seconds; then closed."""
        self._connection.deadline = time.monotonic() + seconds
        parts: list[bytes] = []
        total = 0
        try:
            while piece := self.read(65536):
                total += len(piece)
                if total > limit:
                    raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")
                parts.append(piece)
        except (OSError, http.client.HTTPException) as error:
            raise as_source_error(error) from None
        finally:
            self.close()
        return b"".join(parts)

    @property
    def clock_offset(self) -> float | None:
        """The server's Date minus our time, seconds; None without one. A whole second's grain."""
        stamp = self._response.getheader("Date")
        if not stamp:
            return None
        try:
            return parsedate_to_datetime(stamp).timestamp() + 0.5 - time.time()
        except ValueError:
            return None

    def abort(self) -> None:
        """Unblock a read in another thread; the owner still closes."""
        self._connection.shut()

    def close(self) -> None:
        """Close the connection."""
        self._closed = True
        self._response.close()
        self._connection.hang_up()


Fetch = Callable[[StreamUrl], GuardedResponse]


def open_http(url: StreamUrl, *, policy: AddressPolicy, options: SourceOptions) -> GuardedResponse:
    """GET the address; only 200 is an answer. Raises SourceError."""
    connection = _PinnedConnection(url, vetted_address(url, policy), options)
    try:
        headers = {"User-Agent": "Vantage", "Accept": "*/*", "Connection": "close"}
        if url.user or url.password:
            token = base64.b64encode(f"{url.user}:{url.password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        connection.request("GET", url.target, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _status_error(response.status)
        connection.deadline = None
        return GuardedResponse(connection, response)
    except BaseException as error:
        connection.hang_up()
        if isinstance(error, (OSError, http.client.HTTPException)):
            raise as_source_error(error) from None
        raise


def _status_error(status: int) -> SourceError:
    if 300 <= status < 400:
        return SourceError(SourceFault.REFUSED, "The server redirects elsewhere; redirects are not followed.")
    fault, message = _STATUS.get(status, (SourceFault.UNREACHABLE, f"The server answered {status}."))
    return SourceError(fault, message)
