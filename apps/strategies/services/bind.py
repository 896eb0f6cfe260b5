"""Where a strategy runs. An overlap that nothing decides is refused with the cameras named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.algorithms.models import EventType
from apps.analysis.models import Plan
from apps.analysis.selectors.plans import times_of
from apps.core import audit, clock, conditions
from apps.core.errors import Conflict, NotFound, Refusal
from apps.devices.models import Camera
from apps.strategies.choices import Scope
from apps.strategies.models import Strategy, StrategyBinding
from apps.strategies.selectors.bindings import (
    QUERY_ATTRIBUTES,
    Candidate,
    camera_attributes,
    cameras_with_attributes,
    candidates,
)
from apps.strategies.services.draft import changeable

BIND_LOCK = 7_301
NAMED = 10
DAYS_COMPARED = 14


@transaction.atomic
def bind(
    *,
    principal: Principal,
    strategy: Strategy,
    scope: str,
    cameras: Iterable[Camera] = (),
    query: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
    event_types: Iterable[EventType] | None = None,
) -> StrategyBinding:
    """Run the strategy's last version on cameras for event types (None: all, later ones too), within a plan.

    Raises Refusal (`nothing_published`, `no_cameras`, `bad_query`), NotFound (`camera_not_found`), Conflict
    (`undecidable_overlap`, naming up to ten cameras).
    """
    row = changeable(principal, strategy)
    version = row.versions.order_by("-number").first()
    if version is None:
        raise Refusal("nothing_published", _("Publish a version first."))
    chosen = _checked_cameras(principal, Scope(scope), list(cameras))
    _check_query(Scope(scope), query or {})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BIND_LOCK])
    binding = StrategyBinding.objects.create(
        strategy=row,
        version=version,
        scope=scope,
        query=dict(query or {}),
        plan=plan,
        covers_all_event_types=event_types is None,
    )
    binding.cameras.set(chosen)
    binding.event_types.set(event_types or [])
    _refuse_overlaps(binding)
    audit.record(principal, "strategy.bind", row, owner_id=row.organisation_id, scope=scope)
    return binding


@transaction.atomic
def unbind(*, principal: Principal, binding: StrategyBinding) -> None:
    """End a binding; what it decided keeps its traces."""
    row = changeable(principal, binding.strategy)
    StrategyBinding.objects.filter(pk=binding.pk).update(is_active=False, updated_at=clock.now())
    audit.record(principal, "strategy.unbind", row, owner_id=row.organisation_id, binding=binding.pk)


def _checked_cameras(principal: Principal, scope: Scope, cameras: list[Camera]) -> list[Camera]:
    if scope != Scope.LIST:
        return []
    if not cameras:
        text = _("Choose at least one camera.")
        raise Refusal("no_cameras", text, fields={"cameras": text})
    allowed = set(
        Camera.objects.filter(pk__in=[camera.pk for camera in cameras])
        .visible_to(principal, "analyse")
        .values_list("pk", flat=True)
    )
    if any(camera.pk not in allowed for camera in cameras):
        raise NotFound("camera_not_found", _("One of the cameras does not exist, or you may not analyse it."))
    return cameras


def _check_query(scope: Scope, query: Mapping[str, Any]) -> None:
    if scope != Scope.QUERY:
        return
    try:
        conditions.check(query, QUERY_ATTRIBUTES)
        if not query:
            raise conditions.ConditionError("an empty query would mean all cameras")
    except conditions.ConditionError as error:
        raise Refusal("bad_query", str(error), fields={"query": str(error)}) from None


def _refuse_overlaps(binding: StrategyBinding) -> None:
    others = StrategyBinding.objects.filter(is_active=True).exclude(pk=binding.pk)
    found = candidates([binding, *others.select_related("strategy__organisation", "plan")])
    mine = found[0]
    for other in found[1:]:
        if other.rank != mine.rank or not _share_types(mine, other) or not _share_time(mine, other):
            continue
        names = _shared_cameras(mine, other)
        if names:
            raise Conflict(
                "undecidable_overlap",
                _(
                    "“%(other)s” already decides for the same event types on these cameras at the same time: "
                    "%(cameras)s. Narrow one of the two, or name the cameras in a list."
                )
                % {"other": other.binding.strategy.name, "cameras": ", ".join(names)},
                fields={"cameras": ", ".join(names)},
            )


def _share_types(one: Candidate, other: Candidate) -> bool:
    if one.event_types is None or other.event_types is None:
        return True
    return bool(one.event_types & other.event_types)


def _share_time(one: Candidate, other: Candidate) -> bool:
    """Whether both plans run in one minute of the next two weeks; without a plan a binding always runs."""
    plans = [item.binding.plan_id for item in (one, other)]
    if None in plans or plans[0] == plans[1]:
        return True
    times = times_of(plans)
    start = clock.now().replace(second=30, microsecond=0)
    minutes = (start + timedelta(minutes=minute) for minute in range(DAYS_COMPARED * 1440))
    return any(times[plans[0]].is_active(at) and times[plans[1]].is_active(at) for at in minutes)


def _shared_cameras(one: Candidate, other: Candidate) -> list[str]:
    """Names of up to NAMED cameras both cover."""
    rows = cameras_with_attributes().order_by("pk")
    if one.binding.scope == Scope.LIST:
        rows = rows.filter(pk__in=one.cameras & other.cameras)
    names = []
    for camera in rows.iterator(chunk_size=500):
        attributes = camera_attributes(camera)
        if one.covers_camera(camera, attributes) and other.covers_camera(camera, attributes):
            names.append(camera.name)
            if len(names) == NAMED:
                break
    return names
