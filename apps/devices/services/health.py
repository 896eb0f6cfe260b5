"""Health findings: opened when a fault appears, closed when it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from apps.core import clock
from apps.devices.models import HealthFinding


@transaction.atomic
def report_health(camera_id: UUID, findings: Mapping[str, float]) -> None:
    """`findings` maps each fault that is there now to its measure; open findings not in it are closed."""
    moment = clock.now()
    open_rows = HealthFinding.objects.select_for_update().filter(camera_id=camera_id, ended_at__isnull=True)
    present = set(open_rows.values_list("kind", flat=True))
    open_rows.exclude(kind__in=findings).update(ended_at=moment, updated_at=moment)
    HealthFinding.objects.bulk_create(
        [
            HealthFinding(camera_id=camera_id, kind=kind, value=value, started_at=moment)
            for kind, value in findings.items()
            if kind not in present
        ],
        ignore_conflicts=True,
    )
