"""Where the present request came from, and what it has put into the audit so far."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where the present request came from; empty outside a request. `recorded` holds the actions recorded in it."""

    address: str = ""
    request_id: str = ""
    recorded: list[str] = field(default_factory=list, compare=False)


OUTSIDE = RequestContext()
request_context: ContextVar[RequestContext] = ContextVar("request_context", default=OUTSIDE)
