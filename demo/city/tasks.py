"""Scene rules and running tasks of the twelve live cameras, one task per bureau, algorithm and sampling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.algorithms.models import Algorithm, AlgorithmVersion
from apps.analysis.models import Plan
from apps.analysis.services.scenes import ensure_scene, save_scene_rule
from apps.analysis.services.tasks import create_task, submit_task
from apps.devices.models import Camera, CameraIdentity
from demo.catalogue import LIVE_CAMERAS, Analysis, CameraEntry
from demo.render.stories import BY_NAME

SAMPLING_WORDS = {"snapshot": "抓图", "keyframes": "关键帧", "fps": "视频"}


def make_tasks(say: Callable[[str], None]) -> None:
    """Rules first, then tasks; plans are shared by the whole city."""
    owner = Organisation.objects.get(code="DEMO")
    plan = Plan.objects.create(organisation=owner, name="全天", is_shared=True)
    Plan.objects.create(organisation=owner, name="工作日", kind="workdays", is_shared=True)
    Plan.objects.create(
        organisation=owner,
        name="早晚高峰",
        kind="periods",
        is_shared=True,
        periods=[
            {"days": [1, 2, 3, 4, 5], "begin": "07:00", "end": "09:30"},
            {"days": [1, 2, 3, 4, 5], "begin": "16:30", "end": "19:30"},
        ],
    )
    wanted: dict[tuple[str, str, str, float], list[Camera]] = defaultdict(list)
    for entry in LIVE_CAMERAS:
        camera = CameraIdentity.objects.get(code=entry.code).camera
        for analysis in entry.analyses:
            _rule(entry, camera, analysis)
            kind, interval = sampling_of(entry.sampling)
            wanted[entry.organisation, analysis.algorithm, kind, interval].append(camera)
    for (_code, slug, kind, interval), cameras in wanted.items():
        version = AlgorithmVersion.objects.filter(algorithm__slug=slug).select_related("algorithm").first()
        if version is None:
            say(f"tasks: no algorithm {slug}")
            continue
        name = (
            f"{cameras[0].managing_organisation.name} · {version.algorithm.name_zh} · {SAMPLING_WORDS[kind]}"
        )
        task = create_task(
            by=SYSTEM,
            name=name,
            cameras=cameras,
            versions=[version],
            plan=plan,
            sampling=kind,
            interval=interval,
        )
        submit_task(by=SYSTEM, task=task)
    say(f"tasks: {len(wanted)}")


def sampling_of(entry: dict[str, Any]) -> tuple[str, float]:
    """(kind, seconds between samples)."""
    kind = str(entry["kind"])
    if kind == "snapshot":
        return kind, float(entry["every"])
    return (kind, 1.0 / float(entry["fps"])) if kind == "fps" else (kind, 2.0)


def _rule(entry: CameraEntry, camera: Camera, analysis: Analysis) -> None:
    algorithm = Algorithm.objects.filter(slug=analysis.algorithm).first()
    if algorithm is None:
        return
    regions = []
    if analysis.zone is not None and entry.clip is not None:
        ring = [list(point) for point in BY_NAME[entry.clip].polygons()[analysis.zone]]
        if ring[0] != ring[-1]:
            ring.append(ring[0])
        regions = [{"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring]}]
    save_scene_rule(
        by=SYSTEM,
        scene=ensure_scene(camera=camera),
        algorithm=algorithm,
        owner=camera.managing_organisation,
        regions=regions,
        parameters=analysis.parameters,
    )
