"""The states of a held stream and the one table of legal moves."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class StreamState(StrEnum):
    """Where a stream stands."""

    CONNECTING = "connecting"
    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    DISABLED = "disabled"


_S = StreamState
MOVES: dict[StreamState, frozenset[StreamState]] = {
    _S.DISABLED: frozenset({_S.CONNECTING}),
    _S.CONNECTING: frozenset({_S.ONLINE, _S.OFFLINE, _S.DISABLED}),
    _S.ONLINE: frozenset({_S.DEGRADED, _S.OFFLINE, _S.CONNECTING, _S.DISABLED}),
    _S.DEGRADED: frozenset({_S.ONLINE, _S.DEGRADED, _S.OFFLINE, _S.CONNECTING, _S.DISABLED}),
    _S.OFFLINE: frozenset({_S.CONNECTING, _S.DISABLED}),
}


@dataclass(frozen=True, slots=True)
class StateChange:
    """One move. cause: a stable code (a SourceFault, a HealthState, starting, url_changed, low_fps …).

    message: a sentence for people, without credentials; '' where the cause says it all.
    """

    before: StreamState
    after: StreamState
    cause: str
    message: str
    time: datetime


class IllegalMove(Exception):
    """A move that the table does not list: a mistake in the program."""


class StateMachine:
    """Holds the current state; a move to the same state with the same cause is no move."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.state = StreamState.DISABLED
        self.cause = "new"
        self.message = ""
        self.since = datetime.now(UTC)

    def move(self, after: StreamState, cause: str, message: str = "") -> StateChange | None:
        """Make the move; None if nothing changes. Raises IllegalMove."""
        with self._lock:
            before = self.state
            if after is before and (cause == self.cause or after is not StreamState.DEGRADED):
                return None
            if after not in MOVES[before]:
                raise IllegalMove(f"{before} to {after}")
            self.state, self.cause, self.message = after, cause, message
            self.since = datetime.now(UTC)
            return StateChange(before, after, cause, message, self.since)
