"""A bureau on a running road: cameras, algorithms and tasks, made through the rooms' services."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.accounts.permissions import SYSTEM, Principal
from apps.algorithms.choices import MappingState
from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion, DetectionItem, EventType
from apps.algorithms.services import accept_mapping, save_event_type, set_listed, upload_package
from apps.analysis.models import AnalysisTask, ExecutionHour, Plan
from apps.analysis.services import create_task, stop_task, submit_task
from apps.devices.models import Camera
from apps.devices.services import add_camera
from apps.strategies.models import PendingRun
from tests.support import factories
from tests.support.road import Road
from workers.writer.results import waiting

CHECK_SECONDS = 180.0


class City:
    """One bureau with its cameras, algorithms and tasks on a running road."""

    def __init__(self, road: Road, name: str) -> None:
        self.road = road
        self.home = factories.organisation(code=name, name=name)
        self.plan = Plan.objects.create(organisation=self.home, name="全天")

    def principal(self, *roles: str) -> Principal:
        """A new user of the bureau."""
        return factories.principal(self.home, roles)

    def event_type(self, code: str, name: str, **fields: Any) -> EventType:
        """A type of the platform's tree."""
        values = {"name_zh": name, "name_en": name, "level": "urgent", "validity_minutes": 60, **fields}
        return save_event_type(by=SYSTEM, code=code, **values)

    def package(self, archive: Path, types: Mapping[str, EventType]) -> dict[str, AlgorithmVersion]:
        """Upload; a worker checks it; accept the mapping of each algorithm; slug → listed version."""
        row = upload_package(by=SYSTEM, path=archive, file_name=archive.name, organisation=self.home)
        self.road.until(lambda: self._is_checked(row), CHECK_SECONDS, f"the check of {archive.name}")
        row.refresh_from_db()
        assert row.state == "ready", [rule for rule in row.report["rules"] if not rule["passed"]]
        found = {}
        for version in row.versions.select_related("algorithm"):
            slug = version.algorithm.slug
            if slug not in types:
                continue
            found[slug] = set_listed(by=SYSTEM, version=version, listed=True)
            for item in DetectionItem.objects.filter(algorithm=version.algorithm):
                if item.mapping_state != MappingState.ACCEPTED:
                    accept_mapping(by=SYSTEM, item=item, event_type=types[slug])
        return found

    def _is_checked(self, row: AlgorithmPackage) -> bool:
        return AlgorithmPackage.objects.get(pk=row.pk).state in {"ready", "rejected"}

    def camera(self, name: str, url: str, **fields: Any) -> Camera:
        """A camera at this address."""
        position = {"longitude": 120.0, "latitude": 30.0}
        return add_camera(
            by=SYSTEM, organisation=self.home, name=name, stream_url=url, **{**position, **fields}
        )

    def task(
        self, name: str, cameras: list[Camera], versions: list[AlgorithmVersion], **how: Any
    ) -> AnalysisTask:
        """A submitted task of somebody who may."""
        by = self.principal("algorithm_arranger")
        task = create_task(by=by, name=name, cameras=cameras, versions=versions, plan=self.plan, **how)
        return submit_task(by=by, task=task)

    def stop(self, task: AnalysisTask) -> None:
        """End a task, so that it leaves the machine to those that follow."""
        stop_task(by=SYSTEM, task=task)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until nothing is on its way to the events any more."""
        self.road.until(lambda: not waiting() and not PendingRun.objects.exists(), seconds, "an empty road")


def counted(camera: Camera, outcome: str = "clears") -> dict[str, int]:
    """Results of a camera by algorithm; outcome is a counter of ExecutionHour."""
    sums: dict[str, int] = {}
    rows = ExecutionHour.objects.filter(execution__camera=camera)
    for slug, number in rows.values_list("execution__version__algorithm__slug", outcome):
        sums[slug] = sums.get(slug, 0) + number
    return sums
