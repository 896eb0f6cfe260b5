"""F33: the disk under the media fills up: clips stop, then snapshots; events and the audit go on; all is told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Notification
from apps.core.audit import record
from apps.core.models import AuditRecord
from apps.devices.models import Capture, StorageFinding
from apps.devices.services import set_cover
from apps.devices.services.storage import keep_reserve, put
from apps.events.models import RawEvent
from tests.support import factories
from tests.support.hits import Hits
from workers.writer.keeper import StorageKeeper
from workers.writer.store import write_batch

pytestmark = pytest.mark.django_db
DISK_MB, PIECE = 64, 512 * 1024


@pytest.fixture(params=["disk", "quota"])
def disk(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A media folder on a real file system of 64 MB, or one with a quota of as much."""
    root = tmp_path / "media"
    root.mkdir()
    settings.MEDIA_ROOT = root
    settings.VANTAGE_MEDIA_RESERVE_MB = 2
    if request.param == "quota":
        settings.VANTAGE_MEDIA_QUOTA_MB = DISK_MB
        yield root
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(root)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root; the quota is tested instead")
    yield root
    subprocess.run(["umount", str(root)], check=True)


def fill(media_class: str, megabytes: int) -> int:
    """Write pieces until one is refused; how many were kept."""
    for number in range(megabytes * 2):
        if put(f"{media_class}/{os.urandom(4).hex()}-{number}", bytes(PIECE), media_class) == "not_kept":
            return number
    raise AssertionError(f"{media_class} were never refused")


def health(client: Client) -> str:
    return client.get("/dispatch/health/?part=duties").content.decode()


def test_f33_writes_stop_in_order_events_go_on_and_all_comes_back(
    disk: Path, settings: Any, tmp_path: Path, client: Client
) -> None:
    settings.LANGUAGE_CODE = "en"
    hits, keeper = Hits(tmp_path / "frames"), StorageKeeper()
    operator = factories.user(roles=("maintainer",))
    client.force_login(operator)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    keeper.step()
    assert (disk / ".reserve").stat().st_size == 2 * 2**20
    assert not StorageFinding.objects.exists()

    # Clips stop first; snapshots and pictures of events go on.
    assert fill("clip", DISK_MB) > 0
    assert put("x/snapshot", bytes(PIECE), "capture") == "stored"
    keeper.step()
    assert list(StorageFinding.objects.values_list("kind", "ended_at")) == [("no_clips", None)]

    # Then snapshots, and covers with them.
    fill("capture", DISK_MB)
    assert put("y/clip", bytes(PIECE), "clip") == "not_kept"
    set_cover(hits.camera.pk, hits.picture(), hits.one().time)
    hits.camera.refresh_from_db()
    assert hits.camera.cover == ""
    keeper.step()
    assert open_kinds() == {"no_snapshots"}

    # Pictures of events go on into the reserve; when that is full too, the event is written without its picture.
    states: list[str] = []
    for _ in range(DISK_MB * 2):
        write_batch([hits.one(PIECE)])
        keeper.step()
        states = list(Capture.objects.order_by("time").values_list("media_state", flat=True))
        if states[-1] == "not_kept":
            break
    assert states[-1] == "not_kept"
    assert states.count("stored") * PIECE >= 2 * 2**20
    assert not (disk / ".reserve").exists()
    assert RawEvent.objects.count() == len(states) == RawEvent.objects.exclude(capture_id=None).count()
    before = AuditRecord.objects.count()
    record(None, "test.still_written")
    assert AuditRecord.objects.count() == before + 1

    # It is told: finding, message, health address, operations page.
    assert open_kinds() == {"full"}
    told = Notification.objects.filter(user=operator, kind="storage.alarm")
    assert told.count() == 3
    assert client.get("/readyz").json()["media"] == "full"
    assert "Media storage: The disk is full" in health(client)
    refused = Capture.objects.filter(media_state="not_kept").latest("time")
    picture = client_of(hits).get(link(hits, refused))
    assert picture["X-Vantage-Rendition"] == "placeholder-not-kept"

    # Space returns: everything goes on by itself, the reserve first.
    for path in (disk / "clip").iterdir():
        path.unlink()
    keeper.step()
    assert (disk / ".reserve").stat().st_size == 2 * 2**20
    assert keep_reserve().level == "enough"
    assert open_kinds() == set()
    assert client.get("/readyz").json()["media"] == "ok"
    assert "Media storage: " not in health(client)
    assert put("z/clip", bytes(PIECE), "clip") == "stored"
    write_batch([hits.one(PIECE)])
    assert Capture.objects.latest("time").media_state == "stored"


def test_f33_a_folder_that_cannot_be_written_is_told_and_loses_no_event(
    settings: Any, tmp_path: Path, client: Client
) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    settings.MEDIA_ROOT = tmp_path / "media"
    hits = Hits(tmp_path / "frames")
    write_batch([hits.one()])
    StorageKeeper().step()
    assert RawEvent.objects.count() == 1
    assert Capture.objects.get().media_state == "not_kept"
    assert open_kinds() == {"unwritable"}
    assert client.get("/readyz").json()["media"] == "unwritable"


def open_kinds() -> set[str]:
    return set(StorageFinding.objects.filter(ended_at=None).values_list("kind", flat=True))


def client_of(hits: Hits) -> Client:
    client = Client()
    client.force_login(hits.viewer)
    return client


def link(hits: Hits, capture: Capture) -> str:
    from apps.accounts.permissions import principal_of_user
    from apps.devices.services import media_url

    return media_url("capture", capture.pk, principal_of_user(hits.viewer))
