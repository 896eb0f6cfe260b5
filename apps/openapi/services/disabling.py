"""Taking an endpoint out of service, and telling its owner."""

from __future__ import annotations

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.permissions import ABILITIES, SYSTEM
from apps.accounts.services.notify import notify
from apps.core import audit
from apps.openapi.choices import AttemptError, DeliveryState, DisableReason, EndpointState
from apps.openapi.models import Delivery, Subscription


def disable(row: Subscription, reason: DisableReason) -> None:
    """Stop serving the (locked) row; its waiting messages become dead, to be replayed when it is resumed."""
    row.state, row.state_reason = EndpointState.DISABLED, reason.value
    row.save(update_fields=["state", "state_reason"])
    waiting = Delivery.objects.filter(
        subscription=row, state__in=[DeliveryState.QUEUED, DeliveryState.RETRYING]
    )
    count = waiting.update(state=DeliveryState.DEAD, last_error=AttemptError.DISABLED, lease_until=None)
    audit.record(
        SYSTEM,
        "subscription.disable",
        row,
        owner_id=row.app.organisation_id,
        reason=reason.value,
        messages=count,
    )
    with translation.override("zh-hans"):
        notify(
            owners(row),
            kind="subscription.disabled",
            title=_("The endpoint of “%(name)s” was disabled") % {"name": row.name},
            body=_("%(reason)s. Mend the receiver, resume the subscription, then replay what it missed.")
            % {"reason": reason.label},
            link=reverse("openapi:subscription-detail", args=[row.pk]),
        )


def owners(row: Subscription) -> list[User]:
    """Who is told: who registered the App, else everybody of its organisation who may manage apps."""
    if row.app.created_by is not None and row.app.created_by.is_active:
        return [row.app.created_by]
    return list(
        User.objects.filter(
            organisation_id=row.app.organisation_id,
            is_active=True,
            role_bindings__role__in=ABILITIES["apps.manage"],
        ).distinct()[:20]
    )
