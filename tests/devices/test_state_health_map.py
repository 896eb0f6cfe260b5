"""States are told once, findings open and close, the map turns to clusters, pictures are kept once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from apps.core import clock
from apps.core.ids import uuid7
from apps.core.models import OutboxMessage
from apps.devices import selectors
from apps.devices.models import Camera, Capture, HealthFinding
from apps.devices.registry import MediaItem
from apps.devices.services import (
    NewCapture,
    media_path,
    record_captures,
    report_camera_state,
    report_health,
    set_cover,
    set_enabled,
)
from apps.devices.services.rendition import rendered
from apps.devices.signals import camera_state_changed
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path


def pushes() -> list[dict[str, Any]]:
    return [row.payload for row in OutboxMessage.objects.filter(topic="push").order_by("id")]


def test_a_change_of_state_is_pushed_once_to_those_who_may_hear() -> None:
    camera = factories.camera()
    heard: list[str] = []

    def hear(sender: Any, state: str, **rest: Any) -> None:
        heard.append(state)

    camera_state_changed.connect(hear)
    try:
        assert report_camera_state(camera.pk, "online")
        assert not report_camera_state(camera.pk, "online")
        assert report_camera_state(camera.pk, "degraded", "frozen")
        assert report_camera_state(camera.pk, "offline", "timeout")
    finally:
        camera_state_changed.disconnect(hear)
    assert heard == ["online", "degraded", "offline"]
    told = pushes()
    assert [push["summary"]["state"] for push in told] == heard
    assert {push["kind"] for push in told} == {"camera.state"}
    assert set(told[0]["topics"]) == {f"m:{camera.managing_organisation_id}", f"c:{camera.pk}"}


def test_an_old_report_changes_nothing() -> None:
    camera = factories.camera()
    now = clock.now()
    report_camera_state(camera.pk, "offline", "timeout", now)
    assert not report_camera_state(camera.pk, "online", "", now - timedelta(seconds=30))
    camera.refresh_from_db()
    assert (camera.state, camera.state_cause, camera.state_since) == ("offline", "timeout", now)


def test_being_seen_moves_the_last_time_only_forward() -> None:
    camera = factories.camera()
    now = clock.now()
    for offset in (0, -60, 30):
        report_camera_state(camera.pk, "online", "", now + timedelta(seconds=offset))
    report_camera_state(camera.pk, "offline", "ended", now + timedelta(seconds=60))
    camera.refresh_from_db()
    assert camera.last_seen_at == now + timedelta(seconds=30)


def test_findings_open_and_close_and_open_again() -> None:
    camera = factories.camera()
    for findings in ({"black": 1.0, "frozen": 0.5}, {"black": 2.0}, {}, {"black": 3.0}):
        report_health(camera.pk, findings)
    rows = HealthFinding.objects.filter(camera=camera)
    assert sorted((row.kind, row.ended_at is None) for row in rows) == [
        ("black", False), ("black", True), ("frozen", False),
    ]  # fmt: skip


def test_a_camera_out_of_use_says_so() -> None:
    camera = factories.camera()
    by = factories.principal(camera.managing_organisation, ("resource_manager",))
    assert set_enabled(by=by, camera=camera, enabled=False).is_enabled is False
    camera.refresh_from_db()
    assert not camera.is_enabled


def test_the_map_shows_cameras_and_beyond_the_limit_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = factories.organisation()
    principal = factories.principal(organisation)
    rows = [
        Camera(
            name=f"n{number}", managing_organisation=organisation, longitude=120 + number / 2100,
            latitude=30 + (number % 50) / 50, state="online" if number % 3 else "offline",
        )
        for number in range(2001)
    ]  # fmt: skip
    Camera.objects.bulk_create(rows[:2000])
    box = (119.9, 29.9, 121.1, 31.1)
    shown = selectors.map_view(principal, box)
    assert (len(shown["cameras"]), shown["clusters"]) == (2000, [])
    rows[2000].save()
    clustered = selectors.map_view(principal, box)
    assert clustered["cameras"] == []
    assert sum(cell["count"] for cell in clustered["clusters"]) == 2001
    assert sum(cell["online"] for cell in clustered["clusters"]) == sum(row.state == "online" for row in rows)
    assert 1 < len(clustered["clusters"]) <= selectors.CLUSTER_CELLS**2
    assert all(119.9 <= cell["lon"] <= 121.1 for cell in clustered["clusters"])
    stranger = selectors.map_view(factories.principal(), box)
    assert stranger == {"cameras": [], "clusters": []}


def write(path: Path, shade: int = 90) -> Path:
    cv2.imwrite(str(path), np.full((180, 320, 3), shade, np.uint8))
    return path


def test_a_picture_is_kept_once_and_a_lost_frame_is_told(media: Path) -> None:
    camera = factories.camera()
    now = clock.now()
    there = NewCapture(camera.pk, 0, now, str(write(media / "a.jpg")), 320, 180)
    gone = NewCapture(camera.pk, 0, now + timedelta(seconds=1), str(media / "no.jpg"), 320, 180)
    assert record_captures([there, there, gone]) == {there.id: True, gone.id: False}
    assert record_captures([there]) == {there.id: True}
    row = Capture.objects.get()
    stored = media_path(row.path)
    assert stored.read_bytes() == (media / "a.jpg").read_bytes()
    assert stored.stat().st_mode & 0o077 == 0
    assert len(list(stored.parent.iterdir())) == 1


@pytest.mark.parametrize("relative", ["../x.jpg", "/etc/passwd", "frames/../../x"])
def test_a_path_does_not_leave_the_media_folder(relative: str) -> None:
    with pytest.raises(ValueError, match="leaves"):
        media_path(relative)


def test_the_cover_is_replaced(media: Path) -> None:
    camera = factories.camera()
    for shade in (10, 200):
        set_cover(camera.pk, write(media / "c.jpg", shade), clock.now())
    set_cover(camera.pk, media / "gone.jpg", clock.now())
    camera.refresh_from_db()
    assert cv2.imread(str(media_path(camera.cover))).mean() > 150


@pytest.mark.parametrize(
    ("variant", "unmasked", "note", "width"),
    [
        ("frame", False, "pixelated-by-detections", 640),
        ("frame", True, "unmasked", 640),
        ("annotated", False, "pixelated-by-detections", 640),
        ("thumb", False, "pixelated-by-detections", 320),
    ],
)
def test_the_rendition_says_what_it_did(
    variant: str, unmasked: bool, note: str, width: int, media: Path
) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (360, 640, 3), dtype=np.uint8)
    path = media_path("frames/p.jpg")
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), picture)
    box = [0.25, 0.25, 0.25, 0.5]
    item = MediaItem(
        "frames/p.jpg", clock.now(), uuid7(), uuid7(), may_see_unmasked=unmasked,
        detections=[{"label": "face", "score": 0.9, "box": box}],
    )  # fmt: skip
    out = rendered(item, principal=factories.principal(), variant=variant)
    assert out is not None
    assert out.note == note
    image = cv2.imdecode(np.frombuffer(out.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] == width
    if variant == "frame":
        face = image[110:250, 180:300]
        blocks = np.abs(np.diff(face.astype(int), axis=1)).mean()
        assert bool(blocks > 40) is unmasked


def test_a_picture_that_is_gone_is_none() -> None:
    item = MediaItem("frames/none.jpg", None, uuid7(), uuid7())
    assert rendered(item, principal=factories.principal(), variant="frame") is None


def test_the_page_shows_the_newest_finding_of_each_kind_and_how_often_it_came() -> None:
    camera = factories.camera()
    for findings in ({"black": 1.0, "frozen": 0.5}, {}, {"black": 2.0}):
        report_health(camera.pk, findings)

    shown = {
        finding.kind: (finding.ended_at is None, finding.times)
        for finding in selectors.latest_findings(camera)
    }

    assert shown == {"black": (True, 2), "frozen": (False, 1)}
