"""What a principal may hear: rooms register providers, a socket holds the union."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Hearing:
    """Topics a principal may hear, and the moment at which the earliest of its grants ends (None: never)."""

    topics: frozenset[str]
    valid_until: datetime | None = None


Provider = Callable[[Any], Hearing]
providers: Registry[Provider] = Registry("topic provider")


def hearing_of(principal: Any) -> Hearing:
    """The union over all providers; nobody hears nothing, a separated administrator what is for them alone."""
    if principal is None:
        return Hearing(frozenset())
    if getattr(principal, "is_separated", False):
        return Hearing(frozenset({f"u:{principal.id}"}))
    parts = [provider(principal) for _, provider in providers.items()]
    ends = [part.valid_until for part in parts if part.valid_until is not None]
    return Hearing(frozenset().union(*(part.topics for part in parts)), min(ends) if ends else None)
