"""`--media DIR`: real clips become cameras of an own organisation, public models become algorithms."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.algorithms.models import AlgorithmVersion
from apps.analysis.models import Plan
from apps.analysis.services.tasks import create_task, submit_task
from apps.devices.models import Camera
from apps.devices.services import add_camera, try_stream
from demo.city.algorithms import take_package
from demo.real import ModelMissing, build_real_package, real_cameras, real_slugs


def make_real(media: Path, say: Callable[[str], None]) -> None:
    """Cameras from DIR/videos and packages around DIR/models; what is missing is said, not an error."""
    owner = Organisation.objects.get(code="DEMO")
    with tempfile.TemporaryDirectory() as folder:
        for slug in real_slugs():
            try:
                path = build_real_package(slug, media, Path(folder) / f"{slug}.zip")
            except ModelMissing as error:
                say(f"algorithms: {error}")
                continue
            take_package(path, owner, say)
    plan = Plan.objects.filter(name="全天").first()
    for clip, path in real_cameras(media):
        if Camera.objects.filter(name=clip.name_zh).exists():
            continue
        found = try_stream(by=SYSTEM, url=str(path)).probe
        camera = add_camera(
            by=SYSTEM, organisation=owner, name=clip.name_zh, stream_url=str(path), found=found,
            longitude=120.0, latitude=30.0, address="实拍素材",
        )  # fmt: skip
        versions = [
            version
            for slug in clip.algorithms
            if (version := AlgorithmVersion.objects.filter(algorithm__slug=slug).first()) is not None
        ]
        if versions and plan is not None:
            task = create_task(
                by=SYSTEM, name=f"{clip.name_zh} · 实拍", cameras=[camera], versions=versions, plan=plan,
                sampling="snapshot", interval=10.0,
            )  # fmt: skip
            submit_task(by=SYSTEM, task=task)
        say(f"cameras: {clip.name_zh}")
