"""The state outside the graph, read once per batch and camera: main events a repeat may join, and what was seen."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from apps.core.ids import id_floor
from apps.strategies.engine.values import Box, OpenMain, RawInput, Sighting
from apps.strategies.services.compiled import LookBack, targets_of

MOST_MAINS = 500
MOST_SIGHTINGS = 5_000
Key = tuple[UUID, int, str]

#: Main events of a camera that stood in this time, the latest first, each with where it was seen last: one probe of
#: the occurrences' index per main event, however often it was seen.
MAINS_SQL = """
SELECT e.id, e.preset, t.code, e.first_seen, e.last_seen, COALESCE(o.targets, e.targets)::text, e.raw_event_id
FROM events_event AS e
JOIN algorithms_eventtype AS t ON t.id = e.event_type_id
LEFT JOIN LATERAL (
    SELECT targets FROM events_eventoccurrence
    WHERE event_id = e.id AND time >= e.time ORDER BY time DESC LIMIT 1) AS o ON true
WHERE e.camera_id = %s AND e.last_seen >= %s AND e.first_seen <= %s
ORDER BY e.last_seen DESC LIMIT %s
"""


#: Raw events of these cameras in this time; the bounds of the id leave only the partitions that can hold them.
SIGHTINGS_SQL = """
SELECT r.preset, t.code, r.time, r.targets::text
FROM events_rawevent AS r JOIN algorithms_eventtype AS t ON t.id = r.event_type_id
WHERE r.camera_id = %s AND r.time >= %s AND r.time <= %s AND r.id >= %s AND r.id < %s
ORDER BY r.time DESC LIMIT %s
"""


class BatchContext:
    """The Context of a batch of one camera's raw events; it follows what the batch itself raises."""

    def __init__(self, raws: Collection[RawInput], looks: LookBack) -> None:
        self._mains: dict[Key, dict[UUID, OpenMain]] = defaultdict(dict)
        self._seen: dict[Key, list[Sighting]] | None = None
        self._raws, self._looks = raws, looks
        self.raised_by: dict[UUID, UUID] = {}
        """Raw events of which an event was made before: id → event."""
        if raws:
            self._read_mains()

    def open_main(self, raw: RawInput) -> Sequence[OpenMain]:
        """See Context.open_main."""
        mains = self._mains[raw.camera, raw.preset, raw.code].values()
        return sorted(mains, key=lambda main: (main.last_seen, main.id))

    def sightings(self, raw: RawInput, since: datetime) -> Sequence[Sighting]:
        """See Context.sightings; read for the whole batch when the first graph asks."""
        if self._seen is None:
            self._seen = self._read_sightings()
        found = self._seen[raw.camera, raw.preset, raw.code]
        return [sighting for sighting in found if since <= sighting.time <= raw.time]

    def seen(self, raw: RawInput, event: UUID) -> None:
        """Remember that `raw` raised or joined `event`."""
        mains = self._mains[raw.camera, raw.preset, raw.code]
        boxes: list[Box] = [target.box for target in raw.targets]
        before = mains.get(event)
        if before is None:
            mains[event] = OpenMain(event, raw.time, raw.time, boxes)
            return
        is_latest = raw.time >= before.last_seen
        mains[event] = replace(
            before,
            first_seen=min(before.first_seen, raw.time),
            last_seen=max(before.last_seen, raw.time),
            boxes=boxes if is_latest else before.boxes,
        )

    def _span(self, look: timedelta) -> tuple[UUID, datetime, datetime]:
        times = [raw.time for raw in self._raws]
        [camera] = {raw.camera for raw in self._raws}
        return camera, min(times) - look, max(times)

    def _interval(self) -> float:
        return max(raw.interval_s for raw in self._raws)

    def _read_mains(self) -> None:
        window = self._looks.mains(self._interval())
        camera, since, until = self._span(window)
        with connection.cursor() as cursor:
            cursor.execute(MAINS_SQL, [camera, since, until + window, MOST_MAINS])
            rows = cursor.fetchall()
        for event, preset, code, first, last, targets, raw in rows:
            boxes: list[Box] = [tuple(target["box"]) for target in json.loads(targets)]
            self._mains[camera, preset, code][event] = OpenMain(event, first, last, boxes)
            self.raised_by[raw] = event

    def _read_sightings(self) -> dict[Key, list[Sighting]]:
        camera, since, until = self._span(self._looks.sightings(self._interval()))
        ids = id_floor(since), id_floor(until + timedelta(milliseconds=1))
        with connection.cursor() as cursor:
            cursor.execute(SIGHTINGS_SQL, [camera, since, until, *ids, MOST_SIGHTINGS])
            rows = cursor.fetchall()
        found: dict[Key, list[Sighting]] = defaultdict(list)
        for preset, code, moment, targets in reversed(rows):
            found[camera, preset, code].append(Sighting(moment, targets_of(json.loads(targets))))
        return found
