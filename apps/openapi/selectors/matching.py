"""Which subscriptions an event goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from apps.accounts.permissions import Principal
from apps.algorithms.choices import ReviewPolicy
from apps.algorithms.models import EventType
from apps.core import clock, conditions
from apps.events.choices import ReviewState
from apps.events.models import Event
from apps.events.services.review import UNDO
from apps.openapi.choices import EndpointState, MessageKind
from apps.openapi.models import App, Subscription
from apps.openapi.permissions import principal_of_app

#: What a subscription's condition may ask about.
ATTRIBUTES = frozenset(
    {
        "code", "parent_code", "level", "camera", "camera_name", "preset", "region", "organisation", "score",
        "labels", "targets", "occurrences", "review", "algorithm", "hour",
    }
)  # fmt: skip
_UNION_SIZE = 50


def condition_values(event: Event) -> dict[str, Any]:
    """The values of ATTRIBUTES; `hour` is the local hour (0..23) of the frame, `score` 0..1."""
    camera, kind = event.camera, event.event_type
    return {
        "code": kind.code,
        "parent_code": kind.parent.code if kind.parent else None,
        "level": event.level,
        "camera": str(camera.pk),
        "camera_name": camera.name,
        "preset": event.preset,
        "region": camera.region.code if camera.region else None,
        "organisation": camera.managing_organisation.code,
        "score": event.score,
        "labels": [target.get("label") for target in event.targets],
        "targets": len(event.targets),
        "occurrences": event.occurrences,
        "review": event.review_state,
        "algorithm": event.algorithm_version.algorithm.slug,
        "hour": timezone.localtime(event.time).hour,
    }


def is_tellable(subscription: Subscription, event: Event, kind: str) -> bool:
    """Whether the review policy lets this message go now.

    - Types under *review before push*, and every type for a subscription with `only_reviewed`: nothing leaves before
      an event is confirmed and the 10 s of undo are over; the confirmation itself sends `raised` (and `reviewed`
      where asked for), later updates follow. A false alarm, an expired or an unreviewed event is never told, so that
      a subscriber hears no verdict on something it never heard of.
    - Types *pushed without review* or *sampled*: everything goes at once, and `reviewed` tells any verdict.
    """
    if _needs_confirmation(subscription, event):
        return event.review_state == ReviewState.CONFIRMED and not _may_be_undone(event)
    return kind != MessageKind.REVIEWED or event.review_state in {
        ReviewState.CONFIRMED,
        ReviewState.FALSE_ALARM,
    }


def kinds_to_send(subscription: Subscription, event: Event, kind: str) -> list[str]:
    """The messages that the news `kind` causes here: a confirmation also releases the `raised` it held back."""
    released = kind == MessageKind.REVIEWED and _needs_confirmation(subscription, event)
    wanted = [MessageKind.RAISED.value, kind] if released else [kind]
    return [one for one in wanted if one in subscription.kinds and is_tellable(subscription, event, one)]


def matching_subscriptions(event: Event, kind: str) -> list[tuple[Subscription, list[str]]]:
    """Served or paused subscriptions that hear of `event`, each with the message kinds to send now.

    Filters by type and camera in SQL, then the condition, then asks once, for all Apps together, who may see it.
    """
    candidates = []
    for subscription in _candidates(event):
        kinds = kinds_to_send(subscription, event, kind)
        if kinds and conditions.matches(subscription.condition, condition_values(event)):
            candidates.append((subscription, kinds))
    apps = {row.app_id: row.app for row, _ in candidates}
    seen = visible_events_by_app(apps, {app: [event.pk] for app in apps})
    return [pair for pair in candidates if (pair[0].app_id, event.pk) in seen]


def visible_events_by_app(
    apps: Mapping[UUID, App], events: Mapping[UUID, Iterable[UUID]]
) -> set[tuple[UUID, UUID]]:
    """The pairs (App, event) of `events` in which the App may see the event now: one statement for up to 50 Apps.

    What an organisation may see all its Apps may; only the rest is asked for each App.
    """
    asked = {app: set(identifiers) for app, identifiers in events.items()}
    together: dict[UUID, list[App]] = {}
    for app in asked:
        together.setdefault(apps[app].organisation_id, []).append(apps[app])
    shared = [several for several in together.values() if len(several) > 1]
    seen: set[tuple[UUID, UUID]] = set()
    for app, event in _ask([_seen_by_all(several, asked) for several in shared]):
        seen |= {(one.pk, event) for one in together[apps[app].organisation_id] if event in asked[one.pk]}
    left = {app: [one for one in wanted if (app, one) not in seen] for app, wanted in asked.items()}
    return seen | _ask([_seen_by(apps[app], unseen) for app, unseen in left.items() if unseen])


def fits_filters(subscription: Subscription, event: Event) -> tuple[bool, bool, bool]:
    """(event type, camera, condition) of the subscription's filters."""
    types = (
        subscription.all_event_types
        or subscription.event_types.filter(pk__in=type_and_parents(event.event_type)).exists()
    )
    cameras = subscription.all_cameras or subscription.cameras.filter(pk=event.camera_id).exists()
    return types, cameras, conditions.matches(subscription.condition, condition_values(event))


def type_and_parents(kind: EventType) -> list[UUID]:
    """The type and the types above it: a subscription to a parent hears its children."""
    found, node = [], kind
    while node is not None and len(found) < 8:
        found.append(node.pk)
        node = node.parent
    return found


def _needs_confirmation(subscription: Subscription, event: Event) -> bool:
    return subscription.only_reviewed or event.event_type.review_policy == ReviewPolicy.REVIEW_FIRST


def _may_be_undone(event: Event) -> bool:
    return event.reviewed_at is not None and clock.now() < event.reviewed_at + UNDO


def _candidates(event: Event) -> QuerySet[Subscription]:
    return (
        Subscription.objects.select_related("app__organisation")
        .filter(state__in=[EndpointState.ACTIVE, EndpointState.PAUSED], app__is_active=True)
        .filter(Q(all_event_types=True) | Q(event_types__in=type_and_parents(event.event_type)))
        .filter(Q(all_cameras=True) | Q(cameras=event.camera_id))
        .distinct()
    )


def _ask(parts: Sequence[Any]) -> set[tuple[UUID, UUID]]:
    found: set[tuple[UUID, UUID]] = set()
    for start in range(0, len(parts), _UNION_SIZE):
        first, *others = parts[start : start + _UNION_SIZE]
        found |= set(first.union(*others, all=True) if others else first)
    return found


def _seen_by(app: App, events: Iterable[UUID]) -> Any:
    return _seen(principal_of_app(app), app, events)


def _seen_by_all(apps: Sequence[App], asked: Mapping[UUID, set[UUID]]) -> Any:
    """Asked in the name of the organisation alone, answered under the first of its Apps."""
    organisation = replace(principal_of_app(apps[0]), id=None)
    return _seen(organisation, apps[0], set().union(*(asked[app.pk] for app in apps)))


def _seen(principal: Principal, app: App, events: Iterable[UUID]) -> Any:
    rows = Event.objects.visible_to(principal).filter(pk__in=list(events))
    return rows.annotate(app=Cast(Value(app.pk), UUIDField())).values_list("app", "pk")
