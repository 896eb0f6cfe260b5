"""What stands before a journey begins: a bureau with its people, its strategy, the algorithm, a time plan."""

from __future__ import annotations

from pathlib import Path

from apps.accounts.models import User
from apps.accounts.permissions import SYSTEM
from apps.algorithms.models import AlgorithmVersion, EventType
from apps.analysis.models import AnalysisTask
from apps.analysis.services import ensure_scene, save_scene_rule, stop_task
from apps.devices.models import Camera
from apps.strategies.services.ensure_default import ensure_default_strategy
from demo.packaging import build_package
from demo.render.stories import BY_NAME
from tests.support import factories
from tests.support.city import City
from tests.support.road import Road

CLIP = "bag_left"
DWELL = 8.0
CODE = "020102"


class Town(City):
    """One bureau; the algorithm is the platform's and made once."""

    def __init__(self, road: Road, name: str, folder: Path) -> None:
        super().__init__(road, name)
        ensure_default_strategy(self.home)
        self.version = self._version(folder)

    def _version(self, folder: Path) -> AlgorithmVersion:
        known = AlgorithmVersion.objects.filter(algorithm__slug="left-object", is_listed=True).first()
        if known is not None:
            return known
        archive = build_package("left-object", folder / "left-object.zip")
        kind = EventType.objects.filter(code=CODE).first()
        kind = kind or self.event_type(CODE, "物品遗留", name_en="Object left behind")
        return self.package(archive, {"left-object": kind})["left-object"]

    def person(self, *roles: str) -> User:
        """Somebody of the bureau who may do what these roles may."""
        return factories.user(self.home, roles, display_name=f"{self.home.name} 甲")

    def rule(self, camera: Camera) -> None:
        """The zone that the story's own truth names, as somebody who governs cameras draws it."""
        ring = [list(point) for point in BY_NAME[CLIP].polygons()["near"]]
        region = {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [[*ring, ring[0]]]}
        save_scene_rule(
            by=SYSTEM,
            scene=ensure_scene(camera=camera),
            algorithm=self.version.algorithm,
            owner=self.home,
            regions=[region],
            parameters={"dwell": DWELL},
        )

    def rest(self) -> None:
        """End the bureau's tasks, so that the next journey has the machine."""
        for task in AnalysisTask.objects.filter(organisation=self.home, state__in=["arranging", "running"]):
            stop_task(by=SYSTEM, task=task)
