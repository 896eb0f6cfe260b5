"""The guarded HTTP client: every address a user gives is vetted before each request and pinned for the connection.

No redirects, no proxy or netrc from the environment, no cookies, no decompression, one deadline over everything
(name resolution, connect, TLS, send, answer). Only the beginning of an answer is read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from apps.core.outbound.policy import OutboundPolicy, OutboundRefused
from apps.core.outbound.settings import configured_policy

DEADLINE_SECONDS = 15.0
ANSWER_BYTES = 1024
KEPT_LITERALS = 4096
SHOWN_HEADERS = ("content-type", "content-length", "date", "retry-after")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed http(s) address: what is vetted is exactly what is connected to."""

    url: str
    host: str
    port: int
    is_literal: bool = False

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, url: str) -> Target:
        """Raises ValueError unless `url` is plain http(s)://host[:port]/… without credentials or fragment."""
        if not url.isascii() or any(character <= " " or character == "\\" for character in url):
            raise ValueError("the address holds characters that do not belong into a URL")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme not in {"http", "https"} or parts.username is not None or parts.fragment:
            raise ValueError("an address is http:// or https:// with a host, without credentials or fragment")
        is_literal = _is_address(host)
        if not is_literal and not _NAME.fullmatch(host):
            raise ValueError("the host of the address is not a name or an IP address")
        default = 443 if parts.scheme == "https" else 80
        return cls(url, host, port if port is not None else default, is_literal)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None when nothing did; then `error` says why.

    `error` is one of refused, timeout, unreachable, tls, protocol, or empty. `reason` is the policy's own reason:
    for the audit and the administrator only. `body` is at most 1,024 characters without control characters, and
    empty unless the administrator named this very host (not only its network).
    """

    status: int | None
    milliseconds: int
    error: str = ""
    reason: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class PinnedResolver(AbstractResolver):
    """Answers only what was vetted a moment ago; anything else does not resolve."""

    def __init__(self) -> None:
        self._pins: dict[tuple[str, int], str] = {}

    def pin(self, host: str, port: int, address: str) -> None:
        """From now on `host` is `address` for connections to `port`."""
        self._pins[host, port] = address

    def unpin(self, host: str, port: int) -> None:
        """`host` is no longer permitted."""
        self._pins.pop((host, port), None)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The one vetted address; OSError for a host that was not vetted."""
        address = self._pins.get((host, port))
        if address is None:
            raise OSError("host was not vetted")
        version = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=version, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


class GuardedClient:
    """Use as `async with GuardedClient() as client: answer = await client.post(url, body, headers)`."""

    def __init__(
        self,
        policy: Callable[[], OutboundPolicy] = configured_policy,
        *,
        deadline: float = DEADLINE_SECONDS,
        connections_per_host: int = 4,
    ) -> None:
        """`connections_per_host` 0: as many as the caller keeps open at once."""
        self._policy = policy
        self._deadline = deadline
        self._connections_per_host = connections_per_host
        self._resolver = PinnedResolver()
        self._session: aiohttp.ClientSession | None = None
        # an IP address means the same each time: what this policy said of it holds until there is another policy
        self._vetted_by: OutboundPolicy | None = None
        self._literals: dict[tuple[str, int], tuple[str, bool]] = {}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            limit=0,
            limit_per_host=self._connections_per_host,
            keepalive_timeout=30,
            happy_eyeballs_delay=None,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._deadline),  # `post` has the deadline
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send once. Never raises for what the other side does; the Answer says it."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._deadline):
                status, shown, text = await self._post(url, body, headers)
        except OutboundRefused as error:
            return Answer(None, _since(started), "refused", reason=error.reason)
        except Exception as error:
            code = _error_code(error)
            if code is None:
                raise
            return Answer(None, _since(started), code)
        return Answer(status, _since(started), headers=shown, body=text)

    async def vet(self, target: Target) -> tuple[str, bool]:
        """The address to connect to and whether the administrator named this very host."""
        policy = self._policy()
        if policy is not self._vetted_by:
            self._vetted_by, self._literals = policy, {}
        known = self._literals.get((target.host, target.port))
        if known is not None:
            return known
        try:
            if target.is_literal:
                address = policy.vet(target.host, target.port)
            else:
                loop = asyncio.get_running_loop()
                address = await loop.run_in_executor(None, policy.vet, target.host, target.port)
        except OutboundRefused:
            self._resolver.unpin(target.host, target.port)
            raise
        found = address, is_named_host(policy, address, target.port)
        if target.is_literal and len(self._literals) < KEPT_LITERALS:
            self._literals[target.host, target.port] = found
        return found

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], str]:
        try:
            target = Target.parse(url)
        except ValueError as error:
            raise OutboundRefused(url[:100], 0, str(error)) from None
        address, named = await self.vet(target)
        self._resolver.pin(target.host, target.port, address)
        assert self._session is not None, "use the client as a context manager"
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            beginning = await _beginning(response)
            shown = {name: response.headers[name][:200] for name in SHOWN_HEADERS if name in response.headers}
            text = clean_text(beginning.decode("utf-8", "replace")) if named else ""
            return response.status, shown, text


def is_named_host(policy: OutboundPolicy, address: str, port: int) -> bool:
    """True when the list names this single address: answers of hosts that only lie in an open network stay hidden."""
    found = ipaddress.ip_address(address)
    return (address, port) in policy.exact or any(
        entry.network.num_addresses == 1 and entry.permits(found, port) for entry in policy.allow
    )


def clean_text(text: str, limit: int = ANSWER_BYTES) -> str:
    """At most `limit` characters without control and direction characters (tab and newline stay)."""
    return _CONTROL.sub("", text)[:limit]


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The first ANSWER_BYTES of the body; a longer one closes the connection instead of being read."""
    parts = bytearray()
    async for chunk in response.content.iter_chunked(ANSWER_BYTES):
        parts += chunk
        if len(parts) > ANSWER_BYTES:
            response.close()
            break
    return bytes(parts[:ANSWER_BYTES])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _error_code(error: Exception) -> str | None:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return "unreachable"
    if isinstance(error, aiohttp.ClientError | aiohttp.http.HttpProcessingError | ValueError):
        return "protocol"
    return None


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
