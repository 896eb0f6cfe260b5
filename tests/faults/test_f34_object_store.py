"""F34: the object store is down or slow: the event is saved, its picture waits, goes up later, and pages say so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client

from apps.accounts.permissions import principal_of_user
from apps.devices.models import Camera, Capture, StorageFinding
from apps.devices.services import media_url, set_cover
from apps.devices.services.storage import store
from apps.events.models import RawEvent
from tests.support.hits import Hits
from tests.support.s3_server import S3Server
from workers.writer.keeper import StorageKeeper
from workers.writer.store import write_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def s3(settings: Any, tmp_path: Path) -> Iterator[S3Server]:
    """An object store as the default storage, with a spool of this test's own."""
    with S3Server() as server:
        settings.STORAGES = {**settings.STORAGES, "default": server.settings()}
        settings.VANTAGE_SPOOL = tmp_path / "spool"
        settings.MEDIA_ROOT = tmp_path / "media"
        store.note_success()
        yield server
        store.note_success()


@pytest.fixture
def hits(s3: S3Server, tmp_path: Path) -> Hits:
    return Hits(tmp_path / "frames")


def look(hits: Hits, capture: Capture) -> Any:
    client = Client()
    client.force_login(hits.viewer)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client.get(media_url("capture", capture.pk, principal_of_user(hits.viewer)))


@pytest.mark.parametrize("fault", ["down", "slow"])
def test_f34_an_event_does_not_wait_for_the_store(
    s3: S3Server, hits: Hits, settings: Any, fault: str
) -> None:
    s3.status, s3.delay = (503, 0.0) if fault == "down" else (200, 2.5)
    keeper = StorageKeeper()
    began = time.monotonic()
    for _ in range(8):
        write_batch([hits.one()])
    assert time.monotonic() - began < 10  # eight uploads of 2.5 s would take twice as long
    assert s3.asked == []
    assert RawEvent.objects.exclude(capture_id=None).count() == 8
    assert set(Capture.objects.values_list("media_state", flat=True)) == {"media_pending"}

    uploaded = keeper.step()
    assert (uploaded.done, uploaded.waiting, uploaded.is_away) == (0, 8, True)
    assert list(StorageFinding.objects.values_list("kind", "value", "ended_at")) == [
        ("store_away", 8.0, None)
    ]
    assert Client().get("/readyz").json()["media"] == "store_away"
    capture = Capture.objects.earliest("time")
    here = look(hits, capture)
    assert here["X-Vantage-Rendition"] == "pixelated-by-detections"  # this machine has it in its spool

    spool, settings.VANTAGE_SPOOL = settings.VANTAGE_SPOOL, settings.VANTAGE_SPOOL / "of-another-machine"
    store.note_success()
    elsewhere = look(hits, capture)
    assert elsewhere.status_code == 200
    assert elsewhere["X-Vantage-Rendition"] == "placeholder-store-away"
    assert cv2.imdecode(np.frombuffer(elsewhere.content, np.uint8), cv2.IMREAD_COLOR).std() > 1
    settings.VANTAGE_SPOOL = spool

    s3.status, s3.delay = 200, 0.0
    assert keeper.step().waiting == 0
    assert set(Capture.objects.values_list("media_state", flat=True)) == {"stored"}
    assert set(s3.objects) == set(Capture.objects.values_list("path", flat=True))
    assert not list(spool.rglob("*.jpg"))
    assert StorageFinding.objects.get().ended_at is not None
    assert look(hits, capture)["X-Vantage-Rendition"] == "pixelated-by-detections"
    assert Client().get("/readyz").json()["media"] == "ok"


def test_f34_before_the_upload_another_machine_shows_a_placeholder(
    s3: S3Server, hits: Hits, settings: Any
) -> None:
    write_batch([hits.one()])
    settings.VANTAGE_SPOOL = settings.VANTAGE_SPOOL / "of-another-machine"
    answer = look(hits, Capture.objects.get())
    assert (answer.status_code, answer["X-Vantage-Rendition"]) == (200, "placeholder-media-pending")


def test_f34_a_file_is_not_taken_for_uploaded_before_its_row_is_there(s3: S3Server, hits: Hits) -> None:
    """The upload may come between the file and the commit of its row."""
    write_batch([hits.one()])
    row = Capture.objects.get()
    Capture.objects.all().delete()
    assert StorageKeeper().step().done == 0
    row.save(force_insert=True)
    assert StorageKeeper().step().done == 1
    assert Capture.objects.get().media_state == "stored"


def test_f34_a_crash_between_upload_and_row_uploads_again(
    s3: S3Server, hits: Hits, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batch([hits.one()])

    def crash(sent: list[Path]) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("apps.devices.services.storage.spool._mark", crash)
        with pytest.raises(SystemExit):
            StorageKeeper().step()
    assert Capture.objects.get().media_state == "media_pending"
    assert StorageKeeper().step().done == 1
    assert Capture.objects.get().media_state == "stored"
    assert len(s3.objects) == 1


def test_f34_covers_go_through_the_spool_too(s3: S3Server, hits: Hits) -> None:
    set_cover(hits.camera.pk, hits.picture(), hits.one().time)
    assert StorageKeeper().step().done == 1
    assert set(s3.objects) == {Camera.objects.get(pk=hits.camera.pk).cover}
