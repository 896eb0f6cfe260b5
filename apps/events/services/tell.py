"""Telling of a change: the domain signal for higher rooms, the push for open pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.core.realtime.push import push
from apps.events.choices import Phase
from apps.events.models import Event, EventAudience
from apps.events.services.summary import audiences_of, event_summary, event_topics, topics_of
from apps.events.signals import event_changed


@dataclass(slots=True)
class News:
    """What happened to an event within one batch; however often it was seen, it is told once."""

    event: Event
    is_new: bool = False
    is_seen_again: bool = False
    is_ended: bool = False

    @property
    def kinds(self) -> list[tuple[str, Phase]]:
        """The news to tell, in order."""
        told = ((self.is_new, "raised", Phase.NEW), (self.is_seen_again, "updated", Phase.UPDATE))
        ended = (self.is_ended, "ended", Phase.ENDED)
        return [(kind, phase) for happened, kind, phase in (*told, ended) if happened]


def tell(event: Event, *, kind: str, phase: Phase, **more: Any) -> None:
    """Signal and push; call inside the transaction of the change."""
    event_changed.send(sender=Event, event=event, phase=phase, kind=kind, **more)
    show(event, kind)


def show(event: Event, kind: str) -> None:
    """Push to open pages only."""
    push(f"event.{kind}", event.pk, event_summary(event), event_topics(event))


def tell_all(news: Sequence[News], audience: Mapping[UUID, Iterable[UUID]]) -> None:
    """Tell of several events; `audience` names organisations served that may not be stored yet."""
    if not news:
        return
    events = [item.event for item in news]
    known = _widen(events, audience)
    topics = topics_of(events, known)
    for item in news:
        for kind, phase in item.kinds:
            event_changed.send(sender=Event, event=item.event, phase=phase, kind=kind)
            push(f"event.{kind}", item.event.pk, event_summary(item.event), topics[item.event.pk])


def _widen(events: Sequence[Event], audience: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, set[UUID]]:
    """Store the organisations that an event did not serve before; returns event → all it serves."""
    known = audiences_of(events)
    missing = [
        (event.pk, organisation)
        for event in events
        for organisation in sorted(set(audience.get(event.pk, ())) - known[event.pk])
    ]
    if missing:
        EventAudience.objects.bulk_create(
            [EventAudience(event_id=event, organisation_id=organisation) for event, organisation in missing],
            ignore_conflicts=True,
        )
        for event, organisation in missing:
            known[event].add(organisation)
    return known
