"""Reading an event to change it: visible, and under its row lock."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core.errors import NotFound
from apps.events.models import Event


def locked_event(principal: Principal, event_id: UUID) -> Event:
    """The event under its row lock; NotFound (code `event_not_found`) where the principal may not see it."""
    if not Event.objects.filter(pk=event_id).visible_to(principal).exists():
        raise NotFound("event_not_found", _("There is no such event, or you may not see it."))
    return locked(event_id)


def locked(event_id: UUID) -> Event:
    """The event under its row lock, with what its summary needs."""
    rows = Event.objects.select_related("camera", "event_type", "algorithm_version__algorithm")
    return rows.select_for_update(of=("self",)).get(pk=event_id)
