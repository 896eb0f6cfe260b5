"""Shaped reads: map, search, the camera page, media items."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Floor

from apps.accounts.permissions import Principal
from apps.core import clock
from apps.devices.choices import CameraState
from apps.devices.models import Camera, CameraAccess, HealthFinding
from apps.devices.querysets import managed_q

MAP_LIMIT = 2000
CLUSTER_CELLS = 15
RECENT = timedelta(hours=24)


def search(rows: QuerySet[Camera], text: str) -> QuerySet[Camera]:
    """Cameras whose name, code or address holds every word (trigram index; LIKE wildcards are literal)."""
    for word in text.split()[:6]:
        rows = rows.filter(search_text__icontains=word)
    return rows


def latest_findings(camera: Camera) -> list[HealthFinding]:
    """The newest finding of each kind, newest first, with `times`: how often that kind began in the last 24 hours."""
    rows = HealthFinding.objects.filter(camera=camera)
    counts = rows.filter(started_at__gte=clock.now() - RECENT).values_list("kind").annotate(Count("pk"))
    times = dict(counts.order_by("kind"))
    newest = list(rows.order_by("kind", "-started_at").distinct("kind"))
    for finding in newest:
        finding.times = times.get(finding.kind, 0)
    return sorted(newest, key=lambda finding: finding.started_at, reverse=True)


def in_box(rows: QuerySet[Camera], west: float, south: float, east: float, north: float) -> QuerySet[Camera]:
    """Cameras inside a WGS-84 box."""
    return rows.filter(longitude__range=(west, east), latitude__range=(south, north))


def map_view(
    principal: Principal, box: tuple[float, float, float, float], rows: QuerySet[Camera] | None = None
) -> dict[str, Any]:
    """Up to 2,000 cameras of the box, or clusters of a 15-cell grid when there are more."""
    visible = Camera.objects.visible_to(principal) if rows is None else rows
    inside = in_box(visible, *box)
    found = list(
        inside.order_by("pk").values("pk", "name", "longitude", "latitude", "state", "kind")[: MAP_LIMIT + 1]
    )
    if len(found) <= MAP_LIMIT:
        cameras = [
            {
                "id": str(row["pk"]),
                "name": row["name"],
                "lon": row["longitude"],
                "lat": row["latitude"],
                "state": row["state"],
                "kind": row["kind"],
            }
            for row in found
        ]
        return {"cameras": cameras, "clusters": []}
    return {"cameras": [], "clusters": _clusters(inside, box)}


def _clusters(inside: QuerySet[Camera], box: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    from django.db.models import Avg, F, FloatField, Value

    west, south, east, north = box
    width, height = max(east - west, 1e-6) / CLUSTER_CELLS, max(north - south, 1e-6) / CLUSTER_CELLS
    cells = (
        inside.annotate(
            column=Floor((F("longitude") - Value(west, FloatField())) / Value(width, FloatField())),
            row=Floor((F("latitude") - Value(south, FloatField())) / Value(height, FloatField())),
        )
        .values("column", "row")
        .annotate(
            count=Count("pk"),
            online=Count("pk", filter=Q(state=CameraState.ONLINE)),
            lon=Avg("longitude"),
            lat=Avg("latitude"),
        )
        .order_by()
    )
    return [{"lon": c["lon"], "lat": c["lat"], "count": c["count"], "online": c["online"]} for c in cells]


def facets(rows: QuerySet[Camera]) -> list[tuple[str, str, int]]:
    """(state, its word, count) of a filtered list, in the order of the states."""
    counts = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    return [
        (state.value, str(state.label), counts[state.value]) for state in CameraState if state.value in counts
    ]


def is_managed(principal: Principal, camera: Camera) -> bool:
    """True when the principal's organisation manages the camera and it lies in the person's directories."""
    return principal.kind == "system" or Camera.objects.filter(managed_q(principal), pk=camera.pk).exists()


def rights_on(principal: Principal, camera: Camera) -> dict[str, Any]:
    """What the principal may do on the camera and why: by management, or by which grant until when."""
    if is_managed(principal, camera):
        return {"managed": True, "actions": ["live", "capture", "playback", "analyse"], "grants": []}
    rows = CameraAccess.objects.filter(
        camera=camera, principal_id__in=principal.ids, valid_from__lte=clock.now(), valid_to__gt=clock.now()
    ).select_related("grant")
    return {
        "managed": False,
        "actions": sorted({row.action for row in rows}),
        "grants": list({row.grant_id: row.grant for row in rows}.values()),
    }
