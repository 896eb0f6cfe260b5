"""What a stream's address may look like: our own list of schemes, checked before FFmpeg sees anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from workers.vision.errors import SourceError, SourceFault

MAX_URL_LENGTH = 2048
DEFAULT_PORTS = {"rtsp": 554, "rtmp": 1935, "http": 80, "https": 443}
NETWORK_SCHEMES = frozenset(DEFAULT_PORTS)
SCHEMES = NETWORK_SCHEMES | {"file"}

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*)[:,]")
_HOST = re.compile(r"^[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,252})$|^[0-9A-Fa-f:.]{2,45}$")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_PASSWORD = re.compile(r"(?P<head>[A-Za-z][A-Za-z0-9+.\-]*://)(?P<user>[^/?#\s:]*):[^/?#\s]*@")
_BARE_TOKEN = re.compile(r"(?P<head>[A-Za-z][A-Za-z0-9+.\-]*://)[^/?#\s:@]+@")
_SECRET_QUERY = re.compile(r"(?i)([?&](?:password|passwd|pwd|token|secret|key|auth|sign)[^=&#\s]*=)[^&#\s]*")


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """A checked address. user and password are decoded; path starts with '/' (for file: an absolute path)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    path: str
    query: str

    def with_address(self, address: str) -> str:
        """The URL again, rebuilt from its checked parts, with the host replaced by an IP literal."""
        host = f"[{address}]" if ":" in address else address
        login = ""
        if self.user or self.password:
            login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return f"{self.scheme}://{login}{host}:{self.port}{self.target}"

    @property
    def target(self) -> str:
        """Path and query, as a request line wants it."""
        return self.path + (f"?{self.query}" if self.query else "")


def validate_url(url: str, *, file_roots: Sequence[Path] = (), network_only: bool = False) -> StreamUrl:
    """Check the form of a stream's address; nothing is contacted.

    network_only refuses files even inside file_roots (addresses inside a playlist).
    Raises SourceError (INVALID_URL, UNSUPPORTED_SCHEME, REFUSED) with a sentence for the form.
    """
    if not isinstance(url, str) or not url:
        raise SourceError(SourceFault.INVALID_URL, "The address is empty.")
    if len(url) > MAX_URL_LENGTH:
        raise SourceError(SourceFault.INVALID_URL, f"The address is longer than {MAX_URL_LENGTH} characters.")
    if url.startswith("/") and file_roots and not network_only:
        return _file_url(url)
    if url.startswith("file:///") and not network_only and "\x00" not in url:
        return _file_url(unquote(url[len("file://") :]))
    if _UNSAFE.search(url):
        raise SourceError(
            SourceFault.INVALID_URL, "The address contains spaces, backslashes or control characters."
        )
    found = _SCHEME.match(url)
    scheme = found.group(1).lower() if found else ""
    allowed = NETWORK_SCHEMES if network_only else SCHEMES
    if scheme not in allowed or (scheme == "file"):
        listed = ", ".join(sorted(NETWORK_SCHEMES))
        raise SourceError(SourceFault.UNSUPPORTED_SCHEME, f"The address must start with one of: {listed}.")
    return _network_url(url, scheme)


def _file_url(path: str) -> StreamUrl:
    if "\x00" in path or not path.startswith("/"):
        raise SourceError(SourceFault.INVALID_URL, "The file's path must be absolute.")
    return StreamUrl("file", "", 0, "", "", path, "")


def _network_url(url: str, scheme: str) -> StreamUrl:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SourceError(SourceFault.INVALID_URL, "The address has no valid host or port.") from None
    if not url[len(scheme) :].startswith("://") or not _HOST.match(host):
        raise SourceError(SourceFault.INVALID_URL, "The address has no valid host name.")
    if port is None:
        port = DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise SourceError(SourceFault.INVALID_URL, "The port must lie between 1 and 65535.")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return StreamUrl(
        scheme, host, port, unquote(parts.username or ""), unquote(parts.password or ""), path, query
    )


def mask_url(text: str) -> str:
    """The text with every password inside a URL replaced by ***, for logs, errors and screens."""
    masked = _PASSWORD.sub(r"\g<head>\g<user>:***@", text)
    masked = _BARE_TOKEN.sub(lambda m: m.group(0) if ":***@" in m.group(0) else f"{m['head']}***@", masked)
    return _SECRET_QUERY.sub(r"\1***", masked)
