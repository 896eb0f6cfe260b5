"""Whether open sockets may still hear, judged for all of a process together: a few statements, however many pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.core import clock
from apps.core.realtime.push import epoch
from apps.core.realtime.topics import Hearing, hearing_of

#: A standing is rebuilt after this time even where nothing announced a change (a grant that begins later).
LONGEST = timedelta(seconds=30)

#: From session tokens to the principals that would still be answered; an ended session is None.
Refresh = Callable[[Iterable[Any]], Mapping[Any, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Who a socket belongs to and what it hears. `token` names the session for `refresh`."""

    token: Any
    refresh: Refresh
    principal: Any
    hearing: Hearing
    epoch: int
    known_at: datetime

    @property
    def topics(self) -> frozenset[str]:
        """The audiences."""
        return self.hearing.topics

    def must_be_rebuilt(self, principal: Any, epoch: int, moment: datetime) -> bool:
        """True when rights, roles or organisation changed, a grant ended, or it is simply old."""
        ends = self.hearing.valid_until
        if epoch != self.epoch or moment - self.known_at >= LONGEST:
            return True
        return principal != self.principal or (ends is not None and ends <= moment)


def judge(standings: Iterable[Standing]) -> dict[Standing, Standing | None]:
    """Each standing as it is now; None for those whose session ended. Unchanged ones are left out."""
    present, moment = epoch(), clock.now()
    found: dict[Standing, Standing | None] = {}
    hearings: dict[Any, Hearing] = {}
    for refresh, group in _by_refresh(standings).items():
        principals = refresh({standing.token for standing in group})
        for standing in group:
            principal = principals.get(standing.token)
            if principal is None:
                found[standing] = None
            elif standing.must_be_rebuilt(principal, present, moment):
                if principal.id not in hearings:
                    hearings[principal.id] = hearing_of(principal)
                hearing = hearings[principal.id]
                found[standing] = Standing(standing.token, refresh, principal, hearing, present, moment)
    return found


def standing_of(token: Any, refresh: Refresh, principal: Any) -> Standing:
    """The standing of a socket that opens now."""
    present, moment = epoch(), clock.now()
    return Standing(token, refresh, principal, hearing_of(principal), present, moment)


def _by_refresh(standings: Iterable[Standing]) -> dict[Refresh, list[Standing]]:
    groups: dict[Refresh, list[Standing]] = {}
    for standing in standings:
        groups.setdefault(standing.refresh, []).append(standing)
    return groups
