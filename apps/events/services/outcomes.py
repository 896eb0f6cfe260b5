"""What the strategies made of a batch of raw events, written with a fixed number of statements per batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refusal
from apps.events.models import Event, RawEvent
from apps.events.services.new_event import Decision, Surroundings, merge_window, open_until
from apps.events.services.tell import News, tell_all

#: What is read with an event, for its summary and for those who are told.
RELATED = (
    "camera__managing_organisation",
    "camera__region",
    "event_type__parent",
    "algorithm_version__algorithm",
)


@dataclass(frozen=True, slots=True)
class Raised:
    """`raw` becomes the event `event_id`; it needs `camera`, `event_type` and `item` loaded."""

    raw: RawEvent
    event_id: UUID
    decision: Decision


@dataclass(frozen=True, slots=True)
class Attached:
    """`raw` is a repeat of the event `event_id`: one in the database, or one raised earlier in the batch."""

    raw: RawEvent
    event_id: UUID


@transaction.atomic
def record_outcomes(found: Sequence[Raised | Attached]) -> None:
    """Store a batch of one camera in order of time, and tell of each event once, however often it was seen.

    Attaching a raw event a second time, or to the event that it raised itself, changes nothing. Raises Refusal
    (`unmapped_item`), Event.DoesNotExist for an unknown main event, IntegrityError where a raw event has an event.
    """
    if found:
        _Batch(found).run()


class _Batch:
    def __init__(self, found: Sequence[Raised | Attached]) -> None:
        self.found = found
        self.raises = [item for item in found if isinstance(item, Raised)]
        self.made = {item.event_id for item in self.raises}
        self.events: dict[UUID, Event] = {}
        self.news: dict[UUID, News] = {}
        self.audience: dict[UUID, set[UUID]] = {}

    def run(self) -> None:
        for item in self.raises:
            if item.raw.event_type is None:
                raise Refusal("unmapped_item", _("The detection item has no accepted event type."))
        fresh = self._store_occurrences()
        self._load()
        before = self._ended_before()
        surroundings = Surroundings([item.raw for item in self.raises])
        for item in self.found:
            if isinstance(item, Raised):
                self._raise(item, surroundings, before.get(item.raw.pk))
            elif item.raw.pk in fresh:
                self._attach(item)
        Event.objects.bulk_create([self.events[identifier] for identifier in self.made])
        self._update()
        tell_all([news for news in self.news.values() if news.kinds], self.audience)

    def _store_occurrences(self) -> set[UUID]:
        """Repeats that were not there before. Their events may come later in the transaction: the key is deferred."""
        raised = {item.raw.pk: item.event_id for item in self.raises}
        rows = [item for item in self.found if isinstance(item, Attached)]
        rows = [item for item in rows if raised.get(item.raw.pk) != item.event_id]
        if not rows:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO events_eventoccurrence (id, event_id, time, targets, score, capture_id) "
                "SELECT r.id, r.event, r.time, r.targets::jsonb, r.score, r.capture FROM unnest(%s::uuid[], "
                "%s::uuid[], %s::timestamptz[], %s::text[], %s::float8[], %s::uuid[]) "
                "AS r(id, event, time, targets, score, capture) "
                "WHERE NOT EXISTS (SELECT 1 FROM events_event e WHERE e.raw_event_id = r.id AND e.id = r.event) "
                "ON CONFLICT (id) DO NOTHING RETURNING id",
                [
                    [item.raw.pk for item in rows],
                    [item.event_id for item in rows],
                    [item.raw.time for item in rows],
                    [json.dumps(item.raw.targets) for item in rows],
                    [item.raw.score for item in rows],
                    [item.raw.capture_id for item in rows],
                ],
            )
            return {identifier for (identifier,) in cursor.fetchall()}

    def _load(self) -> None:
        """Under their row locks: the main events, and what stands open where something new is raised."""
        attached = {item.event_id for item in self.found if isinstance(item, Attached)} - self.made
        wanted = Q(pk__in=attached)
        if self.raises:
            wanted |= Q(
                camera_id__in={item.raw.camera_id for item in self.raises},
                event_type_id__in={item.raw.event_type_id for item in self.raises},
                ended_at__isnull=True,
            )
        rows = Event.objects.filter(wanted).select_related(*RELATED).order_by("id")
        self.events = {row.pk: row for row in rows.select_for_update(of=("self",))}
        missing = attached - self.events.keys()
        if missing:
            raise Event.DoesNotExist(f"no main event {min(map(str, missing))}")

    def _ended_before(self) -> dict[UUID, tuple[UUID, object]]:
        """Per raising raw event the last event of its kind and place in the database that had ended by then."""
        if not self.raises:
            return {}
        raws = [item.raw for item in self.raises]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT r.id, e.id, e.last_seen FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::uuid[], "
                "%s::timestamptz[]) AS r(id, camera, preset, kind, time), LATERAL (SELECT id, last_seen "
                "FROM events_event WHERE camera_id = r.camera AND preset = r.preset AND event_type_id = r.kind "
                "AND ended_at IS NOT NULL AND last_seen < r.time ORDER BY last_seen DESC LIMIT 1) AS e",
                [
                    [raw.pk for raw in raws],
                    [raw.camera_id for raw in raws],
                    [raw.preset for raw in raws],
                    [raw.event_type_id for raw in raws],
                    [raw.time for raw in raws],
                ],
            )
            return {raw: (event, seen) for raw, event, seen in cursor.fetchall()}

    def _raise(self, item: Raised, surroundings: Surroundings, before: tuple[UUID, object] | None) -> None:
        raw, kind = item.raw, item.raw.event_type
        assert kind is not None
        here = [event for event in self.events.values() if _is_at(event, raw) and event.last_seen < raw.time]
        for event in here:
            if event.ended_at is None and event.last_seen + merge_window(event) < raw.time:
                event.ended_at = event.last_seen
                self._changed(event).is_ended = True
        ended = [(event.last_seen, event.pk) for event in here if event.ended_at is not None]
        if before is not None and before[0] not in self.events:
            ended.append((before[1], before[0]))  # type: ignore[arg-type]
        event = surroundings.event(raw, kind, item.event_id, item.decision)
        event.recurrence_of_id = max(ended)[1] if ended else None
        self.events[event.pk] = event
        self._changed(event).is_new = True
        self._serve(event, raw)

    def _attach(self, item: Attached) -> None:
        """A repeat that comes late, after its event was ended, but inside the window of the frames, opens it again."""
        event, raw = self.events[item.event_id], item.raw
        event.occurrences += 1
        event.first_seen = min(event.first_seen, raw.time)
        event.last_seen = max(event.last_seen, raw.time)
        event.open_until = open_until(raw.time, merge_window(event))
        event.ended_at = None
        news = self._changed(event)
        news.is_seen_again, news.is_ended = True, False
        self._serve(event, raw)

    def _changed(self, event: Event) -> News:
        return self.news.setdefault(event.pk, News(event))

    def _serve(self, event: Event, raw: RawEvent) -> None:
        self.audience.setdefault(event.pk, set()).update(raw.organisations)

    def _update(self) -> None:
        """One statement for all events that changed; `attach` and `end` change nothing else."""
        rows = [
            news.event
            for news in self.news.values()
            if news.is_seen_again or (news.is_ended and not news.is_new)
        ]
        write_sightings(rows)


def write_sightings(rows: Sequence[Event]) -> None:
    """Store when these events were seen, how often, and until when they are open."""
    if not rows:
        return
    moment = clock.now()
    for row in rows:
        row.updated_at = moment
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_event AS e SET occurrences = r.occurrences, first_seen = r.first_seen, "
            "last_seen = r.last_seen, open_until = r.open_until, ended_at = r.ended_at, updated_at = %s "
            "FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], "
            "%s::timestamptz[]) AS r(id, occurrences, first_seen, last_seen, open_until, ended_at) "
            "WHERE e.id = r.id",
            [
                moment,
                [row.pk for row in rows],
                [row.occurrences for row in rows],
                [row.first_seen for row in rows],
                [row.last_seen for row in rows],
                [row.open_until for row in rows],
                [row.ended_at for row in rows],
            ],
        )


def _is_at(event: Event, raw: RawEvent) -> bool:
    return (event.camera_id, event.preset, event.event_type_id) == (
        raw.camera_id,
        raw.preset,
        raw.event_type_id,
    )
