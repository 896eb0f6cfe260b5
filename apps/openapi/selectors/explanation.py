"""The doctor: why an event was, or was not, delivered to a subscription."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.events.models import Event
from apps.openapi.choices import DeliveryState, EndpointState
from apps.openapi.models import Delivery, Subscription
from apps.openapi.permissions import principal_of_app
from apps.openapi.selectors.matching import fits_filters, is_tellable


@dataclass(frozen=True, slots=True)
class Stage:
    """One gate on the road: `code` is stable for machines, `text` says what was found there."""

    code: str
    passed: bool
    text: str


def explain(subscription: Subscription, event: Event) -> list[Stage]:
    """The gates in order, up to and including the first that did not let the event pass."""
    stages: list[Stage] = []
    for stage in (*_filter_stages(subscription, event), *_delivery_stages(subscription, event)):
        stages.append(stage)
        if not stage.passed:
            break
    return stages


def _filter_stages(subscription: Subscription, event: Event) -> list[Stage]:
    app = subscription.app
    seen = Event.objects.visible_to(principal_of_app(app)).filter(pk=event.pk).exists()
    types, cameras, condition = fits_filters(subscription, event)
    tellable = [kind for kind in subscription.kinds if is_tellable(subscription, event, kind)]
    return [
        Stage(
            "app", app.is_active, _("The app is in use.") if app.is_active else _("The app is out of use.")
        ),
        _gate(
            "visible",
            seen,
            _("The app may see the event."),
            _(
                "The app may not see this event: its organisation does not manage the camera, "
                "no task of it is served, and no grant covers camera and event type."
            ),
        ),
        _gate(
            "event_type",
            types,
            _("The event type is chosen."),
            _("The event type is not among those chosen."),
        ),
        _gate("camera", cameras, _("The camera is chosen."), _("The camera is not among those chosen.")),
        _gate(
            "condition",
            condition,
            _("The condition is met."),
            _("The event does not meet the condition of the subscription."),
        ),
        _gate(
            "kinds", bool(subscription.kinds), _("Message kinds are chosen."), _("No message kind is chosen.")
        ),
        _gate(
            "review",
            bool(tellable),
            _("The review policy lets it go."),
            _("It waits for a reviewer: only confirmed events leave here. Its review says: %(state)s.")
            % {"state": event.get_review_state_display()},
        ),
    ]


def _delivery_stages(subscription: Subscription, event: Event) -> list[Stage]:
    rows = list(Delivery.objects.filter(subscription=subscription, event_id=event.pk).order_by("-created_at"))
    queued = _gate(
        "queued",
        bool(rows),
        _("A message was queued."),
        _(
            "No message was queued: the subscription was made, changed or switched on after the event. "
            "Replay the time range to send it."
        ),
    )
    if not rows:
        return [queued]
    worst = next((row for row in rows if row.state != DeliveryState.DELIVERED), None)
    if worst is None:
        return [queued, Stage("delivered", True, _("Every message was delivered."))]
    served = _gate(
        "endpoint",
        subscription.state == EndpointState.ACTIVE,
        _("The endpoint is served."),
        _("The endpoint is not served now: %(state)s. %(reason)s")
        % {"state": subscription.get_state_display(), "reason": subscription.state_reason},
    )
    return [queued, served, Stage("delivered", False, _waiting_text(worst))]


def _waiting_text(row: Delivery) -> str:
    found = str(row.last_status or row.last_error or _("not tried yet"))
    if row.state == DeliveryState.DEAD:
        return _("All %(count)d attempts failed (%(found)s). Mend the receiver, then send it again.") % {
            "count": row.attempts,
            "found": found,
        }
    return _("Waiting for the next attempt at %(due)s; so far: %(found)s.") % {
        "due": f"{timezone.localtime(row.due_at):%F %T}",
        "found": found,
    }


def _gate(code: str, passed: bool, good: str, bad: str) -> Stage:
    return Stage(code, passed, good if passed else bad)
