"""The stages of a frame that lie above dispatch: strategies and deliveries. Only here both floors are known."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.dispatch.selectors.stage import Frame, Stage
from apps.openapi.choices import DeliveryState
from apps.openapi.models import Delivery
from apps.strategies.models import PendingRun, Trace
from apps.strategies.selectors.words import component_title, reason_words

STATES = {DeliveryState.DELIVERED: "ok", DeliveryState.DEAD: "failed", DeliveryState.RETRYING: "failed"}


def judge_stages(frame: Frame, principal: Any) -> list[Stage]:
    """What the strategies made of each raw event; one that several versions judged has a stage for each."""
    recorded = {raw.pk: raw for raw in frame.raw_events}
    found, judged = [], set()
    for trace in Trace.objects.filter(raw_event__in=list(recorded)).order_by("ran_at"):
        raw = recorded[trace.raw_event]
        judged.add(raw.pk)
        facts = [(_("verdict"), trace.get_verdict_display())]
        if trace.component:
            facts.append((_("component"), component_title(trace.component)))
        if trace.reason:
            facts.append((_("reason"), reason_words(trace.component, trace.reason)))
        found.append(
            Stage(
                "judge",
                _("Judged"),
                raw.recorded_at,
                trace.ran_at,
                subject=str(raw.item),
                object_id=str(trace.pk),
                facts=tuple(facts),
            )
        )
    for run in PendingRun.objects.filter(raw_event__in=recorded.keys() - judged):
        raw = recorded[run.raw_event]
        state = "failed" if run.last_error else "waiting"
        found.append(
            Stage("judge", _("Judged"), raw.recorded_at, None, state, run.last_error, subject=str(raw.item))
        )
    return found


def delivery_stages(frame: Frame, principal: Any) -> list[Stage]:
    """To the servers of subscribers: those that the principal may see."""
    rows = (
        Delivery.objects.visible_to(principal)
        .filter(event_id__in=[event.pk for event in frame.events])
        .select_related("subscription")
        .order_by("created_at")
    )
    return [
        Stage(
            "delivery",
            _("Delivered"),
            row.created_at,
            row.delivered_at,
            STATES.get(row.state, "waiting"),
            row.last_error if row.state != DeliveryState.DELIVERED else "",
            subject=f"{row.subscription.name} · {row.kind}",
            url=reverse("openapi:delivery-detail", args=[row.pk]),
            object_id=str(row.pk),
            facts=((_("attempts"), str(row.attempts)),),
        )
        for row in rows
    ]
