"""Sending again: one delivery, or a range of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import Conflict, Refusal
from apps.core.wake import wake
from apps.events.models import Event
from apps.openapi.choices import DeliveryState, EndpointState, MessageKind
from apps.openapi.models import Delivery, Subscription
from apps.openapi.permissions import must_manage, principal_of_app
from apps.openapi.selectors.matching import fits_filters, is_tellable
from apps.openapi.services.enqueue import delivery_row

MAX_EVENTS = 10_000


@dataclass(slots=True)
class ReplayPlan:
    """What a replay would do: rows tried again, and messages of events for which no row exists."""

    again: list[UUID] = field(default_factory=list)
    missing: list[Delivery] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All messages together."""
        return len(self.again) + len(self.missing)


@transaction.atomic
def resend_delivery(*, by: Principal, delivery: Delivery) -> Delivery:
    """Queue one message again, with the same `webhook-id` and a fresh schedule, whatever became of it before."""
    subscription = delivery.subscription
    must_manage(by, subscription.app)
    _must_be_served(subscription)
    _requeue([delivery.pk])
    audit.record(
        by, "delivery.resend", subscription, owner_id=subscription.app.organisation_id, delivery=delivery.pk
    )
    wake("delivery")
    delivery.refresh_from_db()
    return delivery


def plan_replay(
    *,
    by: Principal,
    subscription: Subscription,
    since: datetime,
    until: datetime,
    with_delivered: bool = False,
) -> ReplayPlan:
    """What `replay_range` would do, for the preview.

    `since` ≤ time of the event < `until`. Dead messages always; delivered ones with `with_delivered`; events that
    the filters fit and for which nothing was queued (the subscription was younger, or disabled). At most 10,000 events.
    """
    must_manage(by, subscription.app)
    if until <= since:
        words = _("The end must lie after the beginning.")
        raise Refusal("range_invalid", words, fields={"until": words})
    visible = Event.objects.visible_to(principal_of_app(subscription.app))
    events = list(
        visible.filter(time__gte=since, time__lt=until)
        .select_related("event_type__parent", "camera__region", "camera__managing_organisation")
        .select_related("algorithm_version__algorithm")
        .order_by("time")[: MAX_EVENTS + 1]
    )
    if len(events) > MAX_EVENTS:
        words = _("More than %(count)d events lie in this range. Choose a shorter one.") % {
            "count": MAX_EVENTS
        }
        raise Refusal("range_too_large", words, fields={"since": words})
    plan = ReplayPlan()
    states = [DeliveryState.DEAD, *([DeliveryState.DELIVERED] if with_delivered else [])]
    known = Delivery.objects.filter(subscription=subscription, event_id__in=[event.pk for event in events])
    plan.again = list(known.filter(state__in=states).order_by("id").values_list("pk", flat=True))
    existing = set(known.values_list("pk", flat=True))
    for event in events:
        plan.missing += [row for row in _rows_of(subscription, event) if row.pk not in existing]
    return plan


@transaction.atomic
def replay_range(
    *,
    by: Principal,
    subscription: Subscription,
    since: datetime,
    until: datetime,
    with_delivered: bool = False,
) -> ReplayPlan:
    """Queue everything of `plan_replay`; the same ids again, so a receiver that has a message can tell."""
    plan = plan_replay(
        by=by, subscription=subscription, since=since, until=until, with_delivered=with_delivered
    )
    _must_be_served(subscription)
    _requeue(plan.again)
    Delivery.objects.bulk_create(plan.missing, ignore_conflicts=True, batch_size=1000)
    audit.record(
        by,
        "delivery.replay",
        subscription,
        owner_id=subscription.app.organisation_id,
        since=since,
        until=until,
        messages=plan.count,
    )
    wake("delivery")
    return plan


def _rows_of(subscription: Subscription, event: Event) -> list[Delivery]:
    if not all(fits_filters(subscription, event)):
        return []
    happened = {
        MessageKind.RAISED: True,
        MessageKind.UPDATED: False,  # what an update said is in every later message
        MessageKind.ENDED: event.ended_at is not None,
        MessageKind.REVIEWED: event.reviewed_at is not None,
    }
    return [
        delivery_row(subscription, event, kind)
        for kind in subscription.kinds
        if happened.get(kind) and is_tellable(subscription, event, kind)
    ]


def _requeue(identifiers: list[UUID]) -> None:
    Delivery.objects.filter(pk__in=identifiers).update(
        state=DeliveryState.QUEUED,
        attempts=0,
        due_at=clock.now(),
        lease_until=None,
        fence=F("fence") + 1,
        last_error="",
        delivered_at=None,
    )


def _must_be_served(subscription: Subscription) -> None:
    if subscription.state == EndpointState.DISABLED:
        raise Conflict("subscription_disabled", _("The endpoint is disabled. Resume the subscription first."))
