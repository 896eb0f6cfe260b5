"""Every route of the URL conf and of the sockets, as the generated walk sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")
PAGE_METHODS = ("get", "post")


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern. `key` is `api:<name>` for the interface, else the namespaced view name."""

    key: str
    pattern: str
    parameters: frozenset[str]
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """What `reverse` wants."""
        return self.key.removeprefix("api:")


def all_routes() -> list[Route]:
    """Pages and interface, without the Django admin."""
    found = _walk(get_resolver(), "", "")
    return sorted((route for route in found if not route.pattern.startswith("manage/")), key=lambda r: r.key)


def admin_routes() -> list[Route]:
    """The Django admin's own routes."""
    found = _walk(get_resolver(), "", "")
    return [route for route in found if route.pattern.startswith("manage/")]


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, pattern, inner)
            continue
        name = namespace + (entry.name or pattern)
        key = f"api:{name}" if pattern.startswith("api/v1/") else name
        yield Route(key, pattern, frozenset(entry.pattern.regex.groupindex), _methods(entry.callback))


def _methods(callback: Any) -> tuple[str, ...]:
    """A viewset names its methods; a page is tried with what forms can send, and 405 means that it has none."""
    actions = getattr(callback, "actions", None)
    return tuple(actions) if actions else PAGE_METHODS


def socket_routes() -> list[str]:
    """The patterns of all WebSocket routes."""
    from portal.routing import websocket_urlpatterns

    return [str(entry.pattern) for entry in websocket_urlpatterns]
