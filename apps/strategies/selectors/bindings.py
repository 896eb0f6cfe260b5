"""Which strategy decides about a raw event: a list beats a query beats all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.algorithms.models import EventType
from apps.analysis.selectors.plans import times_of
from apps.analysis.services.revision import NAME as REVISION
from apps.core import conditions
from apps.devices.models import Camera
from apps.strategies.choices import Scope, StrategyState
from apps.strategies.models import StrategyBinding

SCOPE_RANK = {Scope.ALL: 0, Scope.QUERY: 1, Scope.LIST: 2}
QUERY_ATTRIBUTES = frozenset({"tags", "region", "place_type", "kind", "organisation"})
"""What a camera query may ask for: names of tags, region code, place type code, kind, organisation code."""


def camera_attributes(camera: Camera) -> dict[str, Any]:
    """The values a query of a binding is matched with."""
    return {
        "tags": [row.tag.name for row in camera.camera_tags.all()],
        "region": camera.region.code if camera.region else "",
        "place_type": camera.place_type.code if camera.place_type else "",
        "kind": camera.kind,
        "organisation": camera.managing_organisation.code,
    }


def cameras_with_attributes() -> Any:
    """Cameras with everything `camera_attributes` reads."""
    rows = Camera.objects.select_related("region", "place_type", "managing_organisation")
    return rows.prefetch_related("camera_tags__tag")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A binding with what is asked of it again and again."""

    binding: StrategyBinding
    cameras: frozenset[UUID]
    event_types: frozenset[UUID] | None

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """List over query over all; named event types over all types; for "all cameras" the nearer organisation."""
        strategy = self.binding.strategy
        nearness = (0, 0)
        if self.binding.scope == Scope.ALL:
            nearness = (int(not strategy.is_shared), len(strategy.organisation.path))
        return SCOPE_RANK[Scope(self.binding.scope)], int(self.event_types is not None), *nearness

    def covers_type(self, event_type: UUID) -> bool:
        """Whether the event type is among those of the binding."""
        return self.event_types is None or event_type in self.event_types

    def covers_camera(self, camera: Camera, attributes: Mapping[str, Any]) -> bool:
        """Whether the camera is among those of the binding."""
        if self.binding.scope == Scope.LIST:
            return camera.pk in self.cameras
        strategy = self.binding.strategy
        own = camera.managing_organisation.path.startswith(strategy.organisation.path)
        if not strategy.is_shared and not own:
            return False
        return self.binding.scope == Scope.ALL or conditions.matches(self.binding.query, attributes)


def candidates(bindings: Iterable[StrategyBinding]) -> list[Candidate]:
    """Bindings with their cameras and event types in two further queries."""
    rows = list(bindings)
    cameras: dict[UUID, set[UUID]] = {row.pk: set() for row in rows}
    types: dict[UUID, set[UUID]] = {row.pk: set() for row in rows}
    through = StrategyBinding.cameras.through.objects.filter(strategybinding_id__in=cameras)
    for binding, camera in through.values_list("strategybinding_id", "camera_id"):
        cameras[binding].add(camera)
    typed = StrategyBinding.event_types.through.objects.filter(strategybinding_id__in=types)
    for binding, event_type in typed.values_list("strategybinding_id", "eventtype_id"):
        types[binding].add(event_type)
    return [
        Candidate(
            row, frozenset(cameras[row.pk]), None if row.covers_all_event_types else frozenset(types[row.pk])
        )
        for row in rows
    ]


#: What the table is made of, in one row: it changes whenever a binding, strategy, plan or the calendar does.
_STAMP_SQL = """
SELECT (SELECT ROW(count(*), count(*) FILTER (WHERE is_active), max(updated_at), max(id::text))::text
        FROM strategies_strategybinding),
       (SELECT ROW(count(*), count(*) FILTER (WHERE state = 'running'), max(updated_at), max(id::text))::text
        FROM strategies_strategy),
       (SELECT ROW(count(*), max(updated_at), max(id::text))::text FROM analysis_plan),
       (SELECT ROW(count(*), max(id::text))::text FROM analysis_workcalendarday),
       (SELECT fence::text FROM core_processlease WHERE name = %s)
"""
OLDEST_S = 10.0
"""After so many seconds a table is read anew whatever its stamp says: organisations may have moved."""
_kept: tuple[tuple[str | None, ...], float, BindingTable] | None = None


class BindingTable:
    """The active bindings of running strategies; one table serves many batches of raw events (`binding_table`)."""

    def __init__(self) -> None:
        rows = StrategyBinding.objects.filter(is_active=True, strategy__state=StrategyState.RUNNING)
        found = candidates(rows.select_related("strategy__organisation", "version"))
        self.candidates = sorted(found, key=lambda item: (item.rank, item.binding.pk), reverse=True)
        self.versions = {item.binding.version_id: item.binding.version for item in found}
        self.asks_attributes = any(item.binding.scope == Scope.QUERY for item in found)
        self._plans = times_of(item.binding.plan_id for item in found if item.binding.plan_id)
        self._by_type: dict[UUID, list[Candidate]] = {}

    def decide(self, camera: Camera, event_type: UUID, at: datetime) -> StrategyBinding | None:
        """The one binding that decides at this minute; None where no strategy applies."""
        if event_type not in self._by_type:
            self._by_type[event_type] = [item for item in self.candidates if item.covers_type(event_type)]
        attributes = camera_attributes(camera) if self.asks_attributes else {}
        for item in self._by_type[event_type]:
            if self._is_on(item.binding, at) and item.covers_camera(camera, attributes):
                return item.binding
        return None

    def _is_on(self, binding: StrategyBinding, at: datetime) -> bool:
        return binding.plan_id is None or self._plans[binding.plan_id].is_active(at)


def binding_table() -> BindingTable:
    """The table as it is now: one query as long as nothing changed, five where something did."""
    global _kept
    with connection.cursor() as cursor:
        cursor.execute(_STAMP_SQL, [REVISION])
        stamp = tuple(cursor.fetchone())
    moment = time.monotonic()
    if _kept is None or _kept[0] != stamp or moment - _kept[1] > OLDEST_S:
        _kept = (stamp, moment, BindingTable())
    return _kept[2]


def deciding_binding(
    camera: Camera, preset: int, event_type: EventType, at: datetime
) -> StrategyBinding | None:
    """The binding that decides for (camera, preset, event type, minute). Bindings hold for all presets of a camera."""
    return BindingTable().decide(camera, event_type.pk, at)
