"""Storing what executions report: one COPY per batch, and only what is new is told."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from prometheus_client import Counter

from apps.algorithms.choices import MappingState
from apps.algorithms.models import DetectionItem
from apps.analysis.models import AnalysisUnit, Execution
from apps.core import clock
from apps.core.ids import key_id
from apps.events.models import RawEvent
from apps.events.signals import raw_events_recorded

logger = logging.getLogger(__name__)
unmapped_hits = Counter(
    "vantage_unmapped_hits", "Hits whose detection item has no accepted event type", ["algorithm", "item"]
)
homeless_hits = Counter("vantage_homeless_hits", "Hits of executions that no longer exist")

COLUMNS = (
    "id",
    "execution_id",
    "camera_id",
    "preset",
    "item_id",
    "event_type_id",
    "time",
    "ordinal",
    "targets",
    "score",
    "capture_id",
    "slot_id",
    "units",
    "organisations",
    "package_fingerprint",
    "rule_id",
    "context",
    "recorded_at",
)
LISTED = ", ".join(COLUMNS)
#: Of an execution; the rest of four rows, reports and manifests among it, costs more than the whole question.
READ = ("camera_id", "preset", "interval", "version__algorithm_id", "package__fingerprint", "rule__version")


@dataclass(frozen=True, slots=True)
class NewRawEvent:
    """One hit of one execution on one frame. Camera, package, rule and units are read from the execution.

    `item` is the detection item's code, `time` the frame's moment (UTC), `ordinal` the place of the hit among
    the item's hits sorted by box, `targets` Detection dicts. (execution, time, item, ordinal) is its identity.
    """

    execution_id: UUID
    item: str
    time: datetime
    targets: Sequence[dict[str, Any]]
    ordinal: int = 0
    score: float | None = None
    capture_id: UUID | None = None
    slot_id: UUID | None = None
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """The primary key, made from the identity: the same hit reported twice is one row."""
        return key_id(self.time, self.execution_id, self.time.isoformat(), self.item, self.ordinal)


@transaction.atomic
def record_raw_events(batch: Iterable[NewRawEvent]) -> list[UUID]:
    """Store what is new of `batch` in the caller's transaction; returns the ids of the new rows in order of time.

    Of hits with the same identity one is stored: the one that was there, else any of the batch's.
    A hit of an item without accepted mapping is stored without event type and counted: it cannot raise an
    event, and its trace says so. Sends raw_events_recorded for the new rows only.
    """
    found = list(batch)
    if not found:
        return []
    hits: dict[tuple[UUID, str], list[NewRawEvent]] = {}
    for hit in found:  # once: UUIDs are hashed in Python, and ten times a hit it showed in profiles
        hits.setdefault((hit.execution_id, hit.item), []).append(hit)
    sources = _sources(hits.keys())
    homeless = sum(len(own) for place, own in hits.items() if place not in sources)
    if homeless:
        homeless_hits.inc(homeless)
        logger.warning("%d hits belong to executions that no longer exist", homeless)
    moment = clock.now().isoformat()
    new = _insert([_line(hit, source, moment) for place, source in sources.items() for hit in hits[place]])
    _count_unmapped(new, [(source.item, hits[place]) for place, source in sources.items()])
    if new:
        raw_events_recorded.send(sender=RawEvent, ids=new)
    return new


def _sources(places: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], _Source]:
    """What is known of executions and items; an execution that no longer exists is left out."""
    executions = _executions({execution for execution, _ in places})
    known = [place for place in places if place[0] in executions]
    items = _items({(executions[execution].version.algorithm_id, item) for execution, item in known})
    units = _units(executions)
    found: dict[tuple[UUID, str], _Source] = {}
    for identifier, code in known:
        execution = executions[identifier]
        item = items[execution.version.algorithm_id, code]
        found[identifier, code] = _Source.of(execution, item, units.get(identifier, []))
    return found


def _executions(ids: set[UUID]) -> dict[UUID, Execution]:
    rows = Execution.objects.filter(pk__in=ids).select_related("version", "package", "rule").only(*READ)
    return {row.pk: row for row in rows}


def _items(keys: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], DetectionItem]:
    """Items by (algorithm, code). One that the package did not declare is entered as proposed, for an operator."""
    rows = DetectionItem.objects.filter(algorithm_id__in={key[0] for key in keys})
    found = {(row.algorithm_id, row.code): row for row in rows}
    for algorithm, code in keys - found.keys():
        found[algorithm, code], _made = DetectionItem.objects.get_or_create(
            algorithm_id=algorithm, code=code, defaults={"name_zh": code, "name_en": code}
        )
    return found


def _units(executions: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, UUID]]]:
    served: dict[UUID, list[tuple[UUID, UUID]]] = {}
    rows = AnalysisUnit.objects.filter(execution_id__in=list(executions))
    for execution, unit, organisation in rows.values_list("execution_id", "pk", "task__organisation_id"):
        served.setdefault(execution, []).append((unit, organisation))
    return served


def is_mapped(item: DetectionItem) -> bool:
    """Whether hits of the item may raise events: an operator accepted its event type."""
    return item.event_type_id is not None and item.mapping_state == MappingState.ACCEPTED


@dataclass(frozen=True, slots=True)
class _Source:
    """What all hits of one execution and item share, as COPY takes it; `context` without its closing brace."""

    item: DetectionItem
    place: str
    served: str
    context: str

    @classmethod
    def of(cls, execution: Execution, item: DetectionItem, units: list[tuple[UUID, UUID]]) -> _Source:
        kind = item.event_type_id if is_mapped(item) else None
        place = (execution.pk, execution.camera_id, execution.preset, item.pk, _text(kind))
        organisations = sorted({organisation for _, organisation in units})
        served = (
            _array([unit for unit, _ in units]),
            _array(organisations),
            _escaped(execution.package.fingerprint),
            _text(execution.rule_id),
        )
        context = {
            "version": str(execution.version_id),
            "rule_version": execution.rule.version if execution.rule else None,
            "interval": execution.interval,
        }
        return cls(item, "\t".join(map(str, place)), "\t".join(served), json.dumps(context)[:-1])


def _line(hit: NewRawEvent, source: _Source, recorded_at: str) -> str:
    """The row as a line of COPY's text format, in the order of COLUMNS: a third of the time of typed values."""
    score = hit.score
    if score is None:
        score = max((float(target.get("score") or 0) for target in hit.targets), default=0.0)
    own = f", {json.dumps(hit.context)[1:]}" if hit.context else "}"
    return (
        f"{hit.id}\t{source.place}\t{hit.time.isoformat()}\t{hit.ordinal}\t"
        f"{_escaped(json.dumps(list(hit.targets)))}\t{float(score)!r}\t{_text(hit.capture_id)}\t{_text(hit.slot_id)}\t"
        f"{source.served}\t{_escaped(source.context + own)}\t{recorded_at}\n"
    )


def _escaped(text: str) -> str:
    """Text as COPY reads it."""
    text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _text(identifier: UUID | None) -> str:
    return "\\N" if identifier is None else str(identifier)


def _array(identifiers: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, identifiers)) + "}"


def _insert(lines: list[str]) -> list[UUID]:
    """COPY alone aborts on the first duplicate, hence the temporary table (6-limits, decision 2).

    It stays with the connection and is empty after each commit: making and emptying one took 3 ms a batch.
    """
    if not lines:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS raw_event_batch "
            "(LIKE events_rawevent INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
        )
        cursor.execute("DELETE FROM raw_event_batch")  # an earlier batch of the same transaction
        with cursor.copy(f"COPY raw_event_batch ({LISTED}) FROM STDIN") as copy:
            copy.write("".join(lines))
        cursor.execute(
            f"INSERT INTO events_rawevent ({LISTED}) "  # noqa: S608 - own column names
            f"SELECT {LISTED} FROM raw_event_batch ORDER BY time, id ON CONFLICT DO NOTHING RETURNING id"
        )
        return [identifier for (identifier,) in cursor.fetchall()]


def _count_unmapped(new: list[UUID], hits: list[tuple[DetectionItem, list[NewRawEvent]]]) -> None:
    unmapped = [(item, own) for item, own in hits if not is_mapped(item)]
    stored = set(new) if unmapped else set()
    for item, own in unmapped:
        number = len(stored & {hit.id for hit in own})
        if number:
            unmapped_hits.labels(str(item.algorithm_id), item.code).inc(number)
