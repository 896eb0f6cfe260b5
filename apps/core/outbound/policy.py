"""Which addresses the platform may connect to (pure: no Django, resolver injected).

Deny by default. Always denied: loopback, link-local and metadata, multicast, unspecified, reserved,
translation prefixes that hide an IPv4 address, and the platform's own services. Private city networks are
opened per entry. `exact` host:port pairs may name loopback: the demo's and the tests' own cameras and receivers.
Sources: RFC 6890 special-purpose registries; RFC 6052 (64:ff9b::/96); RFC 3056 (2002::/16).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str], list[str]]

_DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
        "2002::/16", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_ENTRY = re.compile(
    r"(?:\[(?P<six>[0-9a-fA-F:.]+(?:/\d+)?)\]|(?P<four>[0-9.]+(?:/\d+)?))(?::(?P<low>\d+)(?:-(?P<high>\d+))?)?"
)
_METADATA = frozenset({"100.100.100.200", "fd00:ec2::254"})


class OutboundRefused(Exception):
    """The address is not permitted; `reason` is for the audit and the administrator, not for the form."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__("not reachable or not permitted")
        self.host, self.port, self.reason = host, port, reason


def system_resolver(host: str) -> list[str]:
    """All addresses of a name by the system's resolver; an unknown name gives an empty list."""
    try:
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return []


@dataclass(frozen=True, slots=True)
class AllowEntry:
    """`10.2.0.0/16:554-8554`, `10.2.0.5:443` or a whole network without ports."""

    network: Network
    low: int = 1
    high: int = 65535

    @classmethod
    def parse(cls, text: str) -> AllowEntry:
        """Raises ValueError for anything that is not `network[:port[-port]]`; an IPv6 network stands in brackets."""
        entry = _ENTRY.fullmatch(text.strip())
        if entry is None:
            raise ValueError(f"{text!r} is not a network with optional ports")
        network = ipaddress.ip_network(entry["six"] or entry["four"], strict=False)
        low = int(entry["low"] or 1)
        return cls(network, low, int(entry["high"] or entry["low"] or 65535))

    def permits(self, address: Address, port: int) -> bool:
        """True when both address and port lie inside."""
        return (
            address.version == self.network.version
            and address in self.network
            and self.low <= port <= self.high
        )


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """Resolves a host once and returns the vetted address to connect to."""

    allow: tuple[AllowEntry, ...] = ()
    exact: frozenset[tuple[str, int]] = frozenset()
    own_services: frozenset[tuple[str, int]] = frozenset()
    resolver: Resolver = field(default=system_resolver)

    @classmethod
    def build(
        cls,
        allow: Iterable[str] = (),
        exact: Iterable[str] = (),
        own_services: Iterable[tuple[str, int]] = (),
    ) -> OutboundPolicy:
        """From text entries; `exact` are host:port pairs with literal addresses."""
        pairs = frozenset(
            (entry.rpartition(":")[0].strip("[]"), int(entry.rpartition(":")[2])) for entry in exact
        )
        return cls(tuple(AllowEntry.parse(entry) for entry in allow), pairs, frozenset(own_services))

    def vet(self, host: str, port: int) -> str:
        """The IP literal to connect to. Raises OutboundRefused; every address of the name must be permitted."""
        if not 0 < port < 65536:
            raise OutboundRefused(host, port, "bad port")
        name = host.strip("[]").rstrip(".")
        addresses = self._addresses(name, port)
        for address in addresses:
            reason = self._refusal(address, port)
            if reason:
                raise OutboundRefused(host, port, reason)
        return str(addresses[0])

    def _addresses(self, name: str, port: int) -> list[Address]:
        try:
            return [ipaddress.ip_address(name)]
        except ValueError:
            pass
        if not name or _looks_numeric(
            name
        ):  # 2130706433, 0x7f.1, 127.1, 017700000001: never handed to a resolver
            raise OutboundRefused(name, port, "ambiguous address form")
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self.resolver(name)]
        if not found:
            raise OutboundRefused(name, port, "name does not resolve")
        return found

    def _refusal(self, address: Address, port: int) -> str:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            return "IPv4-mapped address"
        if (str(address), port) in self.own_services:
            return "own service"
        if (str(address), port) in self.exact:
            return ""
        if str(address) in _METADATA or any(
            address.version == network.version and address in network for network in _DENIED
        ):
            return "always denied range"
        if any(entry.permits(address, port) for entry in self.allow):
            return ""
        return "not on an allowed list"


def _looks_numeric(name: str) -> bool:
    parts = name.lower().split(".")
    return all(part and (part.isdigit() or part.startswith("0x")) for part in parts)
