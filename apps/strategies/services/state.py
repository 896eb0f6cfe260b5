"""The state outside the graph: the main events a repeat may join, read once per batch and camera."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from apps.events.models import Event, EventOccurrence, RawEvent
from apps.strategies.engine.values import Box, OpenMain, RawInput
from apps.strategies.selectors import BindingTable
from apps.strategies.services.compiled import compiled, raw_input

KEPT = 500
Key = tuple[UUID, int, str]


class MainEvents:
    """Answers Context.open_main for the raw events of a batch and follows what the batch itself raises."""

    def __init__(self, raws: Collection[RawEvent], window: timedelta) -> None:
        self._mains: dict[Key, dict[UUID, OpenMain]] = defaultdict(dict)
        if not raws:
            return
        times = [raw.time for raw in raws]
        rows = Event.objects.filter(
            camera_id__in={raw.camera_id for raw in raws},
            last_seen__gte=min(times) - window,
            first_seen__lte=max(times) + window,
        ).select_related("event_type")
        events = list(rows.order_by("-last_seen")[:KEPT])
        last = EventOccurrence.objects.filter(event__in=events).order_by("event_id", "-time")
        seen = {row.event_id: row for row in last.distinct("event_id")}
        for event in events:
            repeat = seen.get(event.pk)
            targets = repeat.targets if repeat and repeat.time >= event.time else event.targets
            self._mains[event.camera_id, event.preset, event.event_type.code][event.pk] = OpenMain(
                event.pk, event.first_seen, event.last_seen, [tuple(target["box"]) for target in targets]
            )

    def open_main(self, raw: RawInput) -> Sequence[OpenMain]:
        """See Context.open_main."""
        mains = self._mains[raw.camera, raw.preset, raw.code].values()
        return sorted(mains, key=lambda main: (main.last_seen, main.id))

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


def widest_window(table: BindingTable, raws: Collection[RawEvent]) -> timedelta:
    """The longest merge window any running graph asks for, so that one read serves the batch."""
    interval = max((raw_input(raw).interval_s for raw in raws), default=0.0)
    widest = 0.0
    for version in {item.binding.version for item in table.candidates}:
        for node in compiled(version).nodes.values():
            window = float(node.parameters.get("window_s", 0))
            widest = max(widest, window, float(node.parameters.get("intervals", 0)) * interval)
    return timedelta(seconds=widest)
