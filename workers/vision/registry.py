"""A named registry: decoders, rules and analysers are found by the name a manifest gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownName(LookupError):
    """A name that nothing is registered under; the message lists what there is."""


class Registry(Generic[T]):
    """Name → thing; a name is taken once and for all."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, *names: str) -> Callable[[T], T]:
        """Decorator that registers a thing under one or more names; a taken name is a ValueError."""

        def keep(thing: T) -> T:
            for name in names:
                if name in self._things:
                    raise ValueError(f"{self.kind} {name!r} is registered twice")
                self._things[name] = thing
            return thing

        return keep

    def get(self, name: str) -> T:
        """The thing of that name; raises `UnknownName`."""
        try:
            return self._things[name]
        except KeyError:
            known = ", ".join(self.names()) or "none"
            raise UnknownName(f"unknown {self.kind} {name!r}; known: {known}") from None

    def names(self) -> list[str]:
        return sorted(self._things)

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
