"""Making and changing subscriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.algorithms.models import EventType
from apps.core import audit, clock, conditions
from apps.core.errors import Conflict, Refusal
from apps.core.wake import wake
from apps.devices.models import Camera
from apps.openapi.choices import EndpointState, MessageKind
from apps.openapi.models import App, Subscription
from apps.openapi.permissions import must_manage, principal_of_app
from apps.openapi.selectors import ATTRIBUTES
from apps.openapi.services.endpoints import vet_endpoint
from apps.openapi.services.secrets import add_secret, new_secret

#: "leave this as it is", where None already means "all".
KEEP: Any = object()
DEFAULT_KINDS = (MessageKind.RAISED, MessageKind.ENDED)


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription just made; `secret` is shown once."""

    subscription: Subscription
    secret: str

    def __repr__(self) -> str:
        return f"NewSubscription({self.subscription})"


def create_subscription(
    *,
    by: Principal,
    app: App,
    name: str,
    endpoint: str,
    kinds: Iterable[str] = DEFAULT_KINDS,
    event_types: Iterable[EventType] | None = None,
    cameras: Iterable[Camera] | None = None,
    condition: Mapping[str, Any] | None = None,
    only_reviewed: bool = False,
) -> NewSubscription:
    """Subscribe `endpoint` to events. `event_types` and `cameras`: None = all that the App may see, empty = none."""
    must_manage(by, app)
    row = Subscription(app=app, name=name.strip(), endpoint=endpoint, only_reviewed=only_reviewed)
    row.kinds, row.condition = _checked_kinds(kinds), _checked_condition(condition or {})
    _must_have_name(row.name)
    vet_endpoint(by=by, app=app, url=endpoint)
    secret = new_secret()
    with transaction.atomic():
        add_secret(row, secret, clock.now())
        row.save(force_insert=True)
        _set_filters(row, event_types, cameras)
        audit.record(by, "subscription.create", row, owner_id=app.organisation_id, endpoint=endpoint)
    return NewSubscription(row, secret)


def update_subscription(
    *,
    by: Principal,
    subscription: Subscription,
    name: str = KEEP,
    endpoint: str = KEEP,
    kinds: Iterable[str] = KEEP,
    event_types: Iterable[EventType] | None = KEEP,
    cameras: Iterable[Camera] | None = KEEP,
    condition: Mapping[str, Any] = KEEP,
    only_reviewed: bool = KEEP,
) -> Subscription:
    """Change what is given. A new endpoint is vetted and begins without the former one's failures."""
    must_manage(by, subscription.app)
    changes: dict[str, Any] = {}
    if name is not KEEP:
        _must_have_name(name.strip())
        changes["name"] = name.strip()
    if kinds is not KEEP:
        changes["kinds"] = _checked_kinds(kinds)
    if condition is not KEEP:
        changes["condition"] = _checked_condition(condition)
    if only_reviewed is not KEEP:
        changes["only_reviewed"] = only_reviewed
    if endpoint is not KEEP and endpoint != subscription.endpoint:
        vet_endpoint(by=by, app=subscription.app, url=endpoint)
        changes |= {"endpoint": endpoint, "failing_since": None, "throttled_until": None}
    with transaction.atomic():
        row = (
            Subscription.objects.select_for_update(of=("self",)).select_related("app").get(pk=subscription.pk)
        )
        for field, value in changes.items():
            setattr(row, field, value)
        row.save(update_fields=[*changes, "updated_at"])
        _set_filters(row, event_types, cameras)
        audit.record(by, "subscription.change", row, owner_id=row.app.organisation_id, fields=sorted(changes))
    return row


@transaction.atomic
def pause_subscription(*, by: Principal, subscription: Subscription) -> Subscription:
    """Send nothing for now; messages keep queueing and leave when it is resumed."""
    must_manage(by, subscription.app)
    row = Subscription.objects.select_for_update(of=("self",)).select_related("app").get(pk=subscription.pk)
    if row.state == EndpointState.DISABLED:
        raise Conflict("subscription_disabled", _("This endpoint is disabled already. Resume it instead."))
    row.state = EndpointState.PAUSED
    row.save(update_fields=["state", "updated_at"])
    audit.record(by, "subscription.pause", row, owner_id=row.app.organisation_id)
    return row


def resume_subscription(*, by: Principal, subscription: Subscription) -> Subscription:
    """Serve a paused or disabled endpoint again; it is vetted anew and its failures are forgotten.

    A disabled one is probed first: one message at a time across all processes, until one arrives. What it missed is
    sent by a replay of the time range.
    """
    must_manage(by, subscription.app)
    vet_endpoint(by=by, app=subscription.app, url=subscription.endpoint)
    with transaction.atomic():
        row = (
            Subscription.objects.select_for_update(of=("self",)).select_related("app").get(pk=subscription.pk)
        )
        row.is_probed = row.is_probed or row.state == EndpointState.DISABLED
        row.state, row.state_reason = EndpointState.ACTIVE, ""
        row.failing_since = row.throttled_until = row.probe_until = None
        row.save()
        audit.record(by, "subscription.resume", row, owner_id=row.app.organisation_id)
        wake("delivery")
    return row


@transaction.atomic
def delete_subscription(*, by: Principal, subscription: Subscription) -> None:
    """Remove the subscription with its deliveries; its media links stop working."""
    must_manage(by, subscription.app)
    audit.record(
        by,
        "subscription.delete",
        subscription,
        owner_id=subscription.app.organisation_id,
        endpoint=subscription.endpoint,
    )
    Subscription.objects.filter(pk=subscription.pk).delete()


def _must_have_name(name: str) -> None:
    if not name:
        words = _("Give the subscription a name.")
        raise Refusal("name_missing", words, fields={"name": words})


def _checked_kinds(kinds: Iterable[str]) -> list[str]:
    wanted = [kind for kind in MessageKind.values if kind in set(kinds)]
    if not wanted or set(kinds) - set(MessageKind.values):
        words = _("Choose at least one of: %(kinds)s.") % {"kinds": ", ".join(MessageKind.values)}
        raise Refusal("kinds_invalid", words, fields={"kinds": words})
    return wanted


def _checked_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        conditions.check(condition, ATTRIBUTES)
    except conditions.ConditionError as error:
        raise Refusal("condition_invalid", str(error), fields={"condition": str(error)}) from None
    return dict(condition)


def _set_filters(
    row: Subscription, event_types: Iterable[EventType] | None, cameras: Iterable[Camera] | None
) -> None:
    if event_types is not KEEP:
        row.all_event_types = event_types is None
        row.event_types.set(event_types or [])
    if cameras is not KEEP:
        row.all_cameras = cameras is None
        chosen = list(cameras or [])
        row.cameras.set(_visible_cameras(row, chosen))
    row.save(update_fields=["all_event_types", "all_cameras"])


def _visible_cameras(row: Subscription, chosen: list[Camera]) -> list[Camera]:
    wanted = {camera.pk for camera in chosen}
    seen = Camera.objects.visible_to(principal_of_app(row.app)).filter(pk__in=wanted)
    if len(wanted - {camera.pk for camera in seen}) > 0:
        words = _("Some cameras do not exist, or the app may not see them.")
        raise Refusal("camera_unknown", words, fields={"cameras": words})
    return chosen
