"""What this node's rows ask of its holder: placed executions inside their plans, with their streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution, Scene
from apps.analysis.selectors import Demand as TaskDemand
from apps.analysis.selectors import demands_of
from apps.analysis.services import revision
from apps.core import clock
from apps.devices.models import Stream
from apps.devices.services import open_stream_url, source_options
from apps.dispatch.selectors import is_drained
from apps.dispatch.services import leave, renew
from workers.vision.holder import Demand, StreamWish

LIVE_STATES = (ExecutionState.ASSIGNED, ExecutionState.RUNNING, ExecutionState.RETRYING)
SHORTEST_KEYFRAMES = 0.04


@dataclass(slots=True)
class HeldExecution:
    """One execution this node holds, with the fence it was placed under."""

    id: UUID
    camera: UUID
    preset: int
    sampling: str
    interval: float
    fence: int
    spec: dict[str, Any]
    demands: tuple[TaskDemand, ...]

    @property
    def demand(self) -> Demand:
        """As the holder understands it."""
        kind = "fps" if self.sampling == Sampling.FPS else "keyframes"
        return Demand(kind, max(SHORTEST_KEYFRAMES, self.interval), str(self.id))  # type: ignore[arg-type]


@dataclass(slots=True)
class Placed:
    """A snapshot of this node's rows; replaced as a whole."""

    executions: dict[UUID, HeldExecution] = field(default_factory=dict)
    wishes: dict[str, StreamWish] = field(default_factory=dict)
    masks: dict[tuple[UUID, int], list[dict[str, Any]]] = field(default_factory=dict)


class NodeRows:
    """Reads the rows; specs and plans are read again only when executions changed."""

    def __init__(self) -> None:
        self._signature: tuple[int, frozenset[tuple[UUID, int]]] | None = None
        self._held: dict[UUID, HeldExecution] = {}
        self._masks: dict[tuple[UUID, int], list[dict[str, Any]]] = {}
        self._urls: dict[UUID, StreamWish] = {}
        self._read_at: datetime | None = None
        self._is_leaving = False

    def read(self) -> Placed:
        """Renew the leases and give what is to be held now; a drained node lets go first, then gives them back."""
        moment = clock.now()
        if is_drained(settings.VANTAGE_NODE):
            if self._is_leaving:
                leave(node=settings.VANTAGE_NODE)
            self._is_leaving, self._signature = True, None
            return Placed()
        self._is_leaving = False
        rows = Execution.objects.filter(node=settings.VANTAGE_NODE, state__in=LIVE_STATES)
        present = frozenset(rows.values_list("id", "fence"))
        still = renew(node=settings.VANTAGE_NODE, held=dict(present), now=moment)
        signature = (revision(), present)
        stale = self._read_at is None or (moment - self._read_at).total_seconds() > 30
        if signature != self._signature or stale:
            self._load(rows)
            self._signature, self._read_at = signature, moment
        active = {
            key: item
            for key, item in self._held.items()
            if key in still and any(demand.wants(moment) for demand in item.demands)
        }
        return Placed(active, self._wishes(active.values()), self._masks)

    def _load(self, rows: Any) -> None:
        found = list(rows)
        demands = demands_of(row.pk for row in found)
        self._held = {
            row.pk: HeldExecution(
                row.pk,
                row.camera_id,
                row.preset,
                row.sampling,
                row.interval,
                row.fence,
                row.spec,
                demands.get(row.pk, ()),
            )
            for row in found
        }
        cameras = {row.camera_id for row in found}
        self._masks = {
            (scene.camera_id, scene.preset): scene.privacy_masks
            for scene in Scene.objects.filter(camera_id__in=cameras).exclude(privacy_masks=[])
        }
        self._urls = addresses(cameras)

    def _wishes(self, executions: Iterable[HeldExecution]) -> dict[str, StreamWish]:
        by_camera: dict[UUID, list[Demand]] = {}
        for item in executions:
            by_camera.setdefault(item.camera, []).append(item.demand)
        return {
            str(camera): StreamWish(
                self._urls[camera].url, tuple(demands), live=True, options=self._urls[camera].options
            )
            for camera, demands in by_camera.items()
            if camera in self._urls
        }


def addresses(cameras: Iterable[UUID]) -> dict[UUID, StreamWish]:
    """Camera → its main stream's address and options; a camera whose credentials cannot be read is left out."""
    found: dict[UUID, StreamWish] = {}
    rows = Stream.objects.filter(camera_id__in=list(cameras), camera__is_enabled=True).order_by("-role")
    for stream in rows:  # main comes last and wins: the one connection also serves viewers
        try:
            found[stream.camera_id] = StreamWish(
                open_stream_url(stream), live=True, options=source_options(stream)
            )
        except ValueError:
            continue
    return found
