"""An event open in the workbench is held by one person for two minutes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import clock
from apps.core.errors import Conflict
from apps.events.models import Event, EventLock
from apps.events.services.find import locked_event

HELD = timedelta(minutes=2)


@transaction.atomic
def lock_event(*, principal: Principal, event_id: UUID) -> EventLock:
    """Hold the event for the principal, or renew; Conflict (code `event_locked`) names another holder."""
    principal.must("events.review")
    event = locked_event(principal, event_id)
    refuse_if_held_by_another(principal, event)
    lock, _made = EventLock.objects.update_or_create(
        event=event, defaults={"holder_id": principal.id, "until": clock.now() + HELD}
    )
    return lock


@transaction.atomic
def unlock_event(*, principal: Principal, event_id: UUID) -> None:
    """Give the event back at once; nothing happens where somebody else holds it."""
    EventLock.objects.filter(event_id=event_id, holder_id=principal.id).delete()


def refuse_if_held_by_another(principal: Principal, event: Event) -> None:
    """Raise Conflict while another person has the event open; call under the event's row lock."""
    held = EventLock.objects.filter(event=event, until__gt=clock.now()).select_related("holder").first()
    if held is not None and held.holder_id != principal.id:
        raise Conflict(
            "event_locked",
            _("%(name)s is judging this event now. It is free again in two minutes at the latest.")
            % {"name": held.holder},
        )
