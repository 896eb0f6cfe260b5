"""Which events a person may hear live."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import Grant, Organisation
from apps.accounts.permissions import Principal
from apps.algorithms.models import EventTypeGrant
from apps.core import clock
from apps.core.realtime.topics import Hearing
from apps.core.sealing import is_sound
from apps.devices.models import Camera, CameraAccess
from apps.devices.querysets import managed_q
from apps.devices.services.access import grants_behind, manages
from apps.events.models import Event, EventAudience


def event_hearing(principal: Principal) -> Hearing:
    """Topics of the cameras managed at or below the principal, of what serves its organisation, of its grants.

    Valid until the earliest of the grants ends.
    """
    topics = {f"o:{principal.organisation_id}", f"u:{principal.id}"} | _managed(principal)
    moment = clock.now()
    rows = CameraAccess.objects.filter(
        principal_id__in=principal.ids,
        action="subscribe",
        valid_from__lte=moment,
        valid_to__gt=moment,
        history_from__lte=moment,
    ).values_list("camera_id", "grant_id", "valid_to")
    kinds = _event_types(_sound({grant for _camera, grant, _end in rows}))
    ends = []
    for camera, grant, valid_to in rows:
        if grant in kinds:
            topics.update(f"s:{camera}:{kind}" for kind in kinds[grant])
            ends.append(valid_to)
    return Hearing(frozenset(topics), min(ends, default=None))


def is_hearing_sound(principal: Principal, event: Event) -> bool:
    """For the door of pictures: does this principal see the event as manager, as one it serves, or by a sound grant?

    `visible_to` read the compiled rows; this asks the grant behind them, and its link to the event's type.
    """
    if principal.kind == "system" or manages(principal, event.camera):
        return True
    if EventAudience.objects.filter(event=event, organisation_id=principal.organisation_id).exists():
        return True
    grants = {grant.pk for grant in grants_behind(principal, event.camera, "subscribe", moment=event.time)}
    return any(event.event_type_id in kinds for kinds in _event_types(grants).values())


def _sound(grants: set[UUID]) -> set[UUID]:
    return {grant.pk for grant in Grant.objects.filter(pk__in=grants) if is_sound(grant)}


def _event_types(grants: set[UUID]) -> dict[UUID, list[UUID]]:
    """Grant → the event types it names; a link whose keyed hash fails names nothing."""
    found: dict[UUID, list[UUID]] = {}
    for link in EventTypeGrant.objects.filter(grant__in=grants):
        if is_sound(link):
            found.setdefault(link.grant_id, []).append(link.event_type_id)
    return found


def _managed(principal: Principal) -> set[str]:
    if principal.limited_to_directories:
        cameras = Camera.objects.filter(managed_q(principal)).values_list("pk", flat=True)
        return {f"c:{camera}" for camera in cameras}
    below = Organisation.objects.filter(path__startswith=principal.organisation_path)
    return {f"m:{organisation}" for organisation in below.values_list("pk", flat=True)}
