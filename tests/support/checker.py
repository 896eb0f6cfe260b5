"""What must hold whatever was killed: read from the database and from what the receiver saw.

    install_lease_log()                        # before the road starts: every change of a lease is written down
    verdict = check(receiver=receiver)         # when the road has settled
    assert verdict.is_clean, verdict

`acknowledged ⊆ delivered ⊆ attempted`: a message the receiver answered with 2xx is one we hold as delivered (or will,
while it is under way), a message we hold as delivered was acknowledged by the receiver, and all were attempted.
It knows no pytest: the soak uses it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from apps.core import audit, clock
from apps.core.models import OutboxMessage
from apps.events.models import Event, RawEvent
from apps.openapi.models import Attempt, Delivery
from apps.strategies.models import PendingRun
from tests.support import lease_log
from tests.support.receiver import Visit
from workers.writer.results import dead_results, waiting

SHOWN = 5
#: A takeover reads the clock a moment before its row is written.
TOLERANCE_SECONDS = 0.5


@dataclass
class Verdict:
    """Every violation in words, and how many things were looked at."""

    violations: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """No violation."""
        return not self.violations

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"clean": self.is_clean, "violations": self.violations, "counts": self.counts}

    def __str__(self) -> str:
        looked = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        if self.is_clean:
            return f"checker: clean ({looked})"
        found = "\n".join(f"  - {words}" for words in self.violations)
        return f"checker: {len(self.violations)} violations ({looked})\n{found}"


def check(
    *, visits: Iterable[Visit] | None = None, acknowledged: Iterable[str] = (), settled: bool = True
) -> Verdict:
    """Walk all rules. `visits` is what the receiver saw and `acknowledged` the webhook-ids it answered with 2xx;
    without `visits` only the database is compared with itself. `settled`: nothing may be under way any more; while
    something is, give the receiver's own growing lists."""
    verdict = Verdict()
    rules: list[Iterator[str]] = [
        raw_events_once(verdict.counts),
        events_once(verdict.counts),
        slots_decided_once(verdict.counts, settled),
        one_holder_each(verdict.counts),
        audit_chain_whole(verdict.counts),
        deliveries_attempted(verdict.counts),
    ]
    if visits is not None:
        rules.append(receiver_agrees(verdict.counts, visits, acknowledged, settled))
    if settled:
        rules.append(drained(verdict.counts))
    for rule in rules:
        verdict.violations += list(rule)
    return verdict


def raw_events_once(counts: dict[str, int]) -> Iterator[str]:
    """One id per (execution, frame time, item, ordinal); each judged, or waiting to be."""
    counts["raw events"] = RawEvent.objects.count()
    yield from _rows(
        "raw event twice under two ids: execution {} at {}, item {}, ordinal {}: {} ids",
        "SELECT execution_id, time, item_id, ordinal, count(DISTINCT id) FROM events_rawevent "
        "GROUP BY 1, 2, 3, 4 HAVING count(DISTINCT id) > 1",
    )
    yield from _rows(
        "raw event {} has no trace and does not wait for one",
        "SELECT r.id FROM events_rawevent r WHERE NOT EXISTS (SELECT 1 FROM strategies_trace t WHERE "
        "t.raw_event = r.id) AND NOT EXISTS (SELECT 1 FROM strategies_pendingrun p WHERE p.raw_event = r.id)",
    )


def events_once(counts: dict[str, int]) -> Iterator[str]:
    """No raw event became two events, or an event and a repeat of another; every event's raw event exists."""
    counts["events"] = Event.objects.count()
    yield from _rows(
        "raw event {} is both event {} and a repeat of {}",
        "SELECT e.raw_event_id, e.id, o.event_id FROM events_event e JOIN events_eventoccurrence o "
        "ON o.id = e.raw_event_id WHERE o.event_id <> e.id",
    )
    yield from _rows(
        "raw event {} was traced {} times under one strategy version",
        "SELECT raw_event, count(*) FROM strategies_trace GROUP BY raw_event, version_id HAVING count(*) > 1",
    )
    yield from _rows(
        "event {} stands for raw event {}, which is not there",
        "SELECT e.id, e.raw_event_id FROM events_event e WHERE NOT EXISTS "
        "(SELECT 1 FROM events_rawevent r WHERE r.id = e.raw_event_id)",
    )


def slots_decided_once(counts: dict[str, int], settled: bool) -> Iterator[str]:
    """Captured or not captured, never both; each execution of a finished slot has one result."""
    counts["slots"] = _one("SELECT count(*) FROM analysis_captureslot")
    yield from _rows(
        "slot of camera {} at {} exists {} times",
        "SELECT camera_id, planned_at, count(*) FROM analysis_captureslot GROUP BY camera_id, preset, planned_at "
        "HAVING count(*) > 1",
    )
    yield from _rows(
        "slot {} is both captured and not captured ({})",
        "SELECT id, reason FROM analysis_captureslot WHERE state = 'not_captured' AND (captured_at IS NOT NULL "
        "OR EXISTS (SELECT 1 FROM jsonb_each(results) r WHERE r.value->>'outcome' IN ('hit', 'clear')))",
    )
    yield from _rows(
        "slot {} is captured and does not say when",
        "SELECT id FROM analysis_captureslot WHERE state = 'captured' AND captured_at IS NULL",
    )
    yield from _rows(
        "slot {} counts {} open executions, but {} have no result",
        "SELECT id, open, missing FROM (SELECT id, open, (SELECT count(*) FROM unnest(executions) e "
        "WHERE NOT results ? e::text) AS missing FROM analysis_captureslot "
        "WHERE state IN ('captured', 'not_captured')) s WHERE open <> missing",
    )
    if settled:
        yield from _rows(
            "slot {} was never decided: {}, {} open, planned at {}",
            "SELECT id, state, open, planned_at FROM analysis_captureslot WHERE deadline < %s AND "
            "(state IN ('planned', 'leased') OR open > 0)",
            [clock.now()],
        )


def one_holder_each(counts: dict[str, int]) -> Iterator[str]:
    """Leases of processes and executions: another holder only after the end of the last, and with a higher fence."""
    if not lease_log.is_installed():
        return
    counts["lease changes"] = _one("SELECT count(*) FROM checker_lease_log")
    yield from _rows(
        "{} {}: fence fell from {} to {}",
        "SELECT kind, name, old_fence, new_fence FROM checker_lease_log WHERE new_fence < old_fence",
    )
    yield from _rows(
        "{} {} went from {} to {} under the same fence {}",
        "SELECT kind, name, old_holder, new_holder, new_fence FROM checker_lease_log WHERE "
        "old_holder <> new_holder AND old_holder <> '' AND new_holder <> '' AND new_fence <= old_fence",
    )
    yield from _rows(
        "{} {} had two holders at once: {} until {}, {} from {}",
        "SELECT kind, name, old_holder, old_until, new_holder, at FROM checker_lease_log WHERE "
        "old_holder <> new_holder AND old_holder <> '' AND new_holder <> '' "
        f"AND old_until > at + interval '{TOLERANCE_SECONDS} seconds'",
    )


def audit_chain_whole(counts: dict[str, int]) -> Iterator[str]:
    """The keyed chain verifies to its end."""
    verdict = audit.verify()
    counts["audit records"] = verdict.checked
    if verdict.broken_seq is not None:
        yield f"audit chain broken at record {verdict.broken_seq}: {verdict.reason}"


def deliveries_attempted(counts: dict[str, int]) -> Iterator[str]:
    """delivered ⊆ attempted, in our own rows; one delivery per (subscription, event, kind, occurrence)."""
    counts["deliveries"] = Delivery.objects.count()
    counts["attempts"] = Attempt.objects.count()
    yield from _rows(
        "delivery {} is called delivered without an attempt that was answered with 2xx",
        "SELECT d.id FROM openapi_delivery d WHERE d.state = 'delivered' AND NOT EXISTS (SELECT 1 FROM "
        "openapi_attempt a WHERE a.delivery_id = d.id AND a.status BETWEEN 200 AND 299)",
    )
    yield from _rows(
        "event {} was told {} times as {} to one subscription, under two ids",
        "SELECT event_id, count(DISTINCT message), kind FROM openapi_delivery WHERE kind IN ('raised', 'ended') "
        "GROUP BY subscription_id, event_id, kind HAVING count(DISTINCT message) > 1",
    )


def receiver_agrees(
    counts: dict[str, int], visits: Iterable[Visit], acknowledged: Iterable[str], settled: bool
) -> Iterator[str]:
    """acknowledged ⊆ delivered ⊆ attempted, between the receiver's log and our rows.

    What we call delivered is read before the receiver's log, and what we know of after it: both may grow meanwhile.
    """
    delivered = set(map(str, Delivery.objects.filter(state="delivered").values_list("message", flat=True)))
    visits, acknowledged = list(visits), set(acknowledged)
    seen = {visit.message for visit in visits}
    counts["messages received"], counts["messages acknowledged"] = len(seen), len(acknowledged)
    known = set(map(str, Delivery.objects.values_list("message", flat=True)))
    yield from _set("the receiver got message {}, of which no delivery is stored", seen - known)
    yield from _set(
        "message {} is called delivered, but the receiver never acknowledged it", delivered - acknowledged
    )
    yield from _set("message {} is called delivered, but the receiver never saw it", delivered - seen)
    if settled:
        yield from _set(
            "the receiver acknowledged message {}, which is not called delivered", acknowledged - delivered
        )
    told: dict[tuple[str, str], set[str]] = {}
    for visit in visits:
        document = visit.document
        kind = document["type"].rpartition(".")[2]
        if kind in {"raised", "ended"}:
            told.setdefault((document["data"]["event"], kind), set()).add(visit.message)
    doubled = [f"{event} {kind}" for (event, kind), ids in told.items() if len(ids) > 1]
    yield from _set("the receiver was told of {} under two ids", doubled)


def drained(counts: dict[str, int]) -> Iterator[str]:
    """Nothing waits that should have gone, and nothing was put aside."""
    moment = clock.now()
    left = {
        "outbox messages": OutboxMessage.objects.filter(due_at__lte=moment).count(),
        "raw events without verdict": PendingRun.objects.count(),
        "deliveries not sent": Delivery.objects.filter(state__in=["queued", "retrying"]).count(),
        "results not written": waiting(),
        "results put aside as unreadable": dead_results(),
    }
    for what, number in left.items():
        counts[what] = number
        if number:
            yield f"not drained: {number} {what}"


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _rows(words: str, statement: str, values: list[Any] | None = None) -> Iterator[str]:
    """Each row of the statement as a violation; of many the first few and their number."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    for row in rows[:SHOWN]:
        yield words.format(*row)
    if len(rows) > SHOWN:
        yield f"… and {len(rows) - SHOWN} more like the last"


def _set(words: str, found: Iterable[str]) -> Iterator[str]:
    rows = sorted(found)
    for row in rows[:SHOWN]:
        yield words.format(row)
    if len(rows) > SHOWN:
        yield f"… and {len(rows) - SHOWN} more like the last"
