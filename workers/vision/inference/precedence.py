"""Who may push whom off a full device: the higher priority, and only where all that use the other allow it."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

HOLD_SECONDS = 120.0
"""What nobody has asked for so long is held by nobody: work that comes once a minute keeps its room."""


class Rank(NamedTuple):
    """Of an execution, or of all that share one model: the highest priority, pre-emptible where each of them is."""

    priority: int = 0
    preemptible: bool = False

    @classmethod
    def from_spec(cls, data: Mapping[str, Any]) -> Rank:
        """`schedule: {priority, preemptible}` of a spec; without it 0 and not pre-emptible."""
        said = data.get("schedule")
        if not isinstance(said, Mapping):
            return cls()
        return cls(int(said.get("priority") or 0), bool(said.get("preemptible")))

    @classmethod
    def of(cls, ranks: Iterable[Rank]) -> Rank:
        """The rank of what these share."""
        found = list(ranks)
        return cls(max(rank.priority for rank in found), all(rank.preemptible for rank in found))


class Claims:
    """Who asked for what lately; a key is a model or a group of models."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, dict[Rank, float]] = {}

    def note(self, key: Hashable, rank: Rank) -> None:
        """Somebody of this rank asks for `key` now."""
        self._asked.setdefault(key, {})[rank] = time.monotonic()

    def holder(self, key: Hashable) -> Rank | None:
        """The rank of those who asked within HOLD_SECONDS; None where nobody did."""
        since = time.monotonic() - HOLD_SECONDS
        recent = [rank for rank, at in list(self._asked.get(key, {}).items()) if at > since]
        return Rank.of(recent) if recent else None

    def gives_way(self, key: Hashable, asker: Rank) -> bool:
        """Without anybody being pushed out: nobody holds it, or its holders are the asker's equals."""
        holder = self.holder(key)
        return holder is None or holder.priority == asker.priority

    def preempted_by(self, asker: Rank, keys: Iterable[Hashable]) -> list[Hashable]:
        """Which of `keys` the asker may push out, the lowest priority first."""
        ranks = {key: self.holder(key) for key in keys}
        lower = [
            (rank.priority, number, key)
            for number, (key, rank) in enumerate(ranks.items())
            if rank is not None and rank.priority < asker.priority and rank.preemptible
        ]
        return [key for _, _, key in sorted(lower, key=lambda each: each[:2])]
