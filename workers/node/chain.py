"""The links of the chain that lie above dispatch: strategies and push. Only here both floors are known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.core.ids import id_floor
from apps.dispatch.selectors.link import Link
from apps.openapi.choices import DeliveryState
from apps.openapi.models import Attempt, Delivery
from apps.strategies.models import PendingRun, Trace

WINDOW = timedelta(minutes=5)


def _url(name: str, query: str = "") -> str:
    try:
        return reverse(name) + query
    except NoReverseMatch:
        return ""


def strategy_link(now: datetime, principal: Any) -> Link:
    """策略: raw events that wait for their verdict."""
    facts = PendingRun.objects.aggregate(number=Count("raw_event"), oldest=Min("due_at"))
    delay = max(0.0, (now - facts["oldest"]).total_seconds()) if facts["oldest"] else 0.0
    ran = Trace.objects.filter(pk__gte=id_floor(now - timedelta(hours=1)), ran_at__gte=now - WINDOW).count()
    broken = PendingRun.objects.exclude(last_error="").order_by("-due_at").first()
    state, reason, step = "ok", _("Raw events are judged as they come."), ""
    if delay > 60:
        state, reason = "down", _("Raw events have waited for more than a minute.")
        step = _("Check that the strategies worker runs.")
    elif delay > 10 or broken is not None:
        state, reason = "warning", _("Raw events wait, or a strategy failed on one.")
        step = _("Open the traces; add strategy workers.")
    return Link(
        "strategy",
        _("Strategies"),
        rate=ran / 5,
        rate_unit=_("verdicts a minute"),
        backlog=facts["number"],
        delay=delay,
        last_error=broken.last_error if broken else "",
        last_error_at=broken.due_at if broken else None,
        state=state,
        reason=reason,
        next_step=step,
        details=((_("traces"), _url("strategies:trace-list")),),
    )


def push_link(now: datetime, principal: Any) -> Link:
    """推送: deliveries that wait, fail or are given up."""
    waiting = Delivery.objects.filter(state=DeliveryState.QUEUED, due_at__lte=now)
    facts = waiting.aggregate(number=Count("id"), oldest=Min("due_at"))
    delay = max(0.0, (now - facts["oldest"]).total_seconds()) if facts["oldest"] else 0.0
    retrying = Delivery.objects.filter(state=DeliveryState.RETRYING).count()
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).count()
    attempts = Attempt.objects.filter(pk__gte=id_floor(now - WINDOW)).count()
    failed = Delivery.objects.exclude(last_error="").exclude(state=DeliveryState.DELIVERED)
    last = failed.order_by("-due_at").values_list("last_error", "due_at").first()
    state, reason, step = "ok", _("Receivers take what is sent."), ""
    if delay > 60:
        state, reason = "down", _("Deliveries have waited for more than a minute.")
        step = _("Check that the courier (delivery) runs.")
    elif retrying or dead:
        state, reason = "warning", _("Some receivers refuse or do not answer.")
        step = _("Open the deliveries and tell the owners of these endpoints.")
    return Link(
        "push",
        _("Push"),
        rate=attempts / 5,
        rate_unit=_("attempts a minute"),
        backlog=facts["number"] + retrying,
        delay=delay,
        last_error=last[0] if last else "",
        last_error_at=last[1] if last else None,
        state=state,
        reason=reason,
        next_step=step,
        details=(
            (
                _("%(count)d retrying") % {"count": retrying},
                _url("openapi:delivery-list", "?state=retrying"),
            ),
            (_("%(count)d given up") % {"count": dead}, _url("openapi:delivery-list", "?state=dead")),
        ),
    )
