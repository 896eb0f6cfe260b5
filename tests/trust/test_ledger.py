"""Who looked at our cameras, when and why; purposes; what is odd."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Notification
from apps.accounts.permissions import principal_of_user
from apps.core import audit, clock, outbox, spreadsheets
from apps.core.ids import key_id
from apps.core.models import AuditRecord, OutboxMessage
from apps.devices.models import Camera, Capture, OddLooking
from apps.devices.services import media_url, set_cover
from apps.devices.services.looking import flag_odd_looking
from tests.support import factories
from tests.support.looking import chain_notes, state_purpose

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def picture_of(camera: Camera, hours: float) -> Capture:
    moment = clock.now() - timedelta(hours=hours)
    identifier = key_id(moment, "capture", camera.pk)
    from django.conf import settings

    path = Path(settings.MEDIA_ROOT) / f"frames/{identifier}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((90, 160, 3), 90, np.uint8))
    return Capture.objects.create(id=identifier, camera=camera, time=moment, path=f"frames/{identifier}.jpg")


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_old_picture_asks_for_a_purpose_once_and_the_ledger_shows_it() -> None:
    camera = factories.camera()
    user = factories.user(camera.managing_organisation, ("resource_manager",))
    client, principal = client_of(user), principal_of_user(user)
    old, fresh = picture_of(camera, 25), picture_of(camera, 23)
    links = [media_url("capture", row.pk, principal) for row in (old, fresh)]
    notes = [client.get(link).headers["X-Vantage-Rendition"] for link in links]
    assert notes == ["placeholder-purpose-needed", "pixelated-by-detections"]
    asked = client.get(links[1] + "?download=1")
    assert asked.status_code == 302
    assert asked["Location"].startswith(reverse("devices:purpose"))
    page = client.get(asked["Location"])
    assert page.status_code == 200
    form = {"purpose": "case", "case": "", "words": "", "next": links[1] + "?download=1"}
    assert client.post(reverse("devices:purpose"), form).status_code == 200, "a case needs its number"
    answer = client.post(reverse("devices:purpose"), {**form, "case": "2026-7"})
    assert (answer.status_code, answer["Location"]) == (302, links[1] + "?download=1")
    assert client.get(links[0]).headers["X-Vantage-Rendition"] == "pixelated-by-detections"
    saved = client.get(links[1] + "?download=1")
    assert saved["Content-Disposition"].startswith("attachment")
    chain_notes()
    looks = AuditRecord.objects.filter(action__startswith="picture.").order_by("seq")
    assert [(row.action, row.detail.get("case")) for row in looks] == [
        ("picture.view", None),
        ("picture.view", "2026-7"),
        ("picture.download", "2026-7"),
    ]
    shown = client.get(reverse("devices:ledger")).content.decode()
    assert "2026-7" in shown
    assert camera.name in shown


def test_the_purpose_page_leads_nowhere_else() -> None:
    client = client_of(factories.user())
    for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = client.post(reverse("devices:purpose"), {"purpose": "event", "next": back})
        assert answer["Location"] == "/"


def test_unmasked_only_with_a_grant_and_a_purpose() -> None:
    camera, grantee = factories.camera(), factories.organisation()
    user = factories.user(grantee)
    factories.grant_access(camera, grantee, ("capture", "unmasked"))
    client, link = client_of(user), media_url("capture", picture_of(camera, 1).pk, principal_of_user(user))
    assert client.get(link).headers["X-Vantage-Rendition"] == "pixelated-by-detections"
    state_purpose(client)
    assert client.get(link).headers["X-Vantage-Rendition"] == "unmasked"
    chain_notes()
    record = AuditRecord.objects.filter(action="picture.view").latest("seq")
    assert record.detail["unmasked"] is True


NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def watches(client: Client, camera: Camera, seconds: list[int], **headers: str) -> None:
    """Polls the snapshot at these seconds after NOON, and lets the relay run after each."""
    for second in seconds:
        with time_machine.travel(NOON + timedelta(seconds=second), tick=False):
            url = reverse("devices:camera-snapshot", args=[camera.pk])
            assert client.get(url, headers=headers).status_code == 200
            while outbox.relay_once():
                pass


def looks_at(camera: Camera) -> list[tuple[str, int, float]]:
    """(who, pictures, seconds after NOON) of the ledger; 0 pictures: a single look."""
    rows = AuditRecord.objects.filter(action="picture.view", object_name=str(camera.pk)).order_by("seq")
    return [(row.actor_name, row.detail.get("pictures", 0), (row.at - NOON).total_seconds()) for row in rows]


def watched_camera(tmp_path: Path) -> Camera:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    cv2.imwrite(str(tmp_path / "cover.jpg"), np.full((90, 160, 3), 90, np.uint8))
    set_cover(camera.pk, tmp_path / "cover.jpg", NOON)
    return camera


def test_polled_pictures_are_one_session_that_grows_and_none_is_lost(tmp_path: Path) -> None:
    """The first look at once; the others counted, by whom and until when; a new session every ten minutes."""
    camera = watched_camera(tmp_path)
    with time_machine.travel(NOON, tick=False):
        users = [factories.user(camera.managing_organisation) for _ in range(2)]
        clients = [client_of(user) for user in users]
    names = [principal_of_user(user).name for user in users]
    watches(clients[0], camera, [1])
    assert looks_at(camera) == [(names[0], 0, 1)], "the first is chained at once"
    watches(clients[0], camera, list(range(4, 590, 45)))
    watches(clients[1], camera, [500])
    assert looks_at(camera) == [(names[0], 0, 1), (names[1], 0, 500)], "the others are counted"
    waiting = OutboxMessage.objects.filter(topic="audit.session")
    assert sorted(row.payload["facts"]["detail"]["pictures"] for row in waiting) == [1, 15]
    watches(clients[0], camera, [606])
    assert looks_at(camera)[2:] == [(names[0], 15, 589), (names[0], 0, 606)], "told, and a new session begun"
    assert waiting.all().count() == 1, "the new session; one of a single look says nothing new"
    assert audit.verify().broken_seq is None
    with time_machine.travel(NOON + timedelta(minutes=12), tick=False):
        client = client_of(factories.user(camera.managing_organisation, ("operator",)))
        page = client.get(reverse("devices:ledger"), headers={"accept-language": "en"}).content.decode()
        assert "15 pictures since" in page
        export = b"".join(client.get(reverse("devices:ledger-export")).streaming_content).decode("utf-8-sig")
    counted = [row["pictures"] for row in csv.DictReader(io.StringIO(export)) if row["how"] == "picture.view"]
    assert sorted(map(int, counted)) == [1, 1, 1, 15]


def test_another_purpose_or_address_is_another_session(tmp_path: Path) -> None:
    camera = watched_camera(tmp_path)
    with time_machine.travel(NOON, tick=False):
        user = factories.user(camera.managing_organisation)
        plain = client_of(user)
        told = state_purpose(client_of(user))
    watches(plain, camera, [1, 4])
    watches(told, camera, [7, 10])
    assert [at for _who, _pictures, at in looks_at(camera)] == [1, 7]


def test_a_count_that_was_changed_while_it_waited_is_marked(tmp_path: Path) -> None:
    camera = watched_camera(tmp_path)
    with time_machine.travel(NOON, tick=False):
        client = client_of(factories.user(camera.managing_organisation))
    watches(client, camera, [1, 4, 7])
    row = OutboxMessage.objects.get(topic="audit.session")
    row.payload["facts"]["detail"]["pictures"] = 1
    row.save()
    watches(client, camera, [10, 700])
    found = AuditRecord.objects.get(detail__has_key="pictures")
    assert found.detail["changed_before_chaining"] is True


def test_the_ledger_is_the_managing_organisations_own() -> None:
    """Four clients: nobody, another bureau, a role without it, the manager; and the audit administrator."""
    camera, other = factories.camera(), factories.camera()
    for row in (camera, other):
        audit.record(factories.principal(), "camera.live", row, owner_id=row.managing_organisation_id)
    url = reverse("devices:ledger")
    assert Client().get(url).status_code == 302
    assert client_of(factories.user(camera.managing_organisation)).get(url).status_code == 404
    for row, stranger in ((camera, other), (other, camera)):
        user = factories.user(row.managing_organisation, ("resource_manager",))
        for name in ("devices:ledger", "devices:ledger-export"):
            answer = client_of(user).get(reverse(name))
            text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
            assert row.name in text
            assert stranger.name not in text
    text = client_of(factories.user(roles=("audit_admin",))).get(url).content.decode()
    assert camera.name in text
    assert other.name in text


def test_the_ledger_pages_and_filters_by_key() -> None:
    camera = factories.camera()
    owner = camera.managing_organisation
    looker = factories.principal()
    for number in range(102):
        audit.record(looker, "picture.view", owner_id=owner.pk, name=str(camera.pk), number=number)
    audit.record(looker, "camera.live", camera, owner_id=owner.pk, outcome="refused")
    client = client_of(factories.user(owner, ("operator",)))
    first = client.get(reverse("devices:ledger"))
    assert len(first.context["records"]) == 100
    second = client.get(reverse("devices:ledger"), {"before": first.context["next_before"]})
    assert len(second.context["records"]) == 3
    narrowed = client.get(reverse("devices:ledger"), {"action": "camera.live", "camera": camera.pk})
    assert [row.outcome for row in narrowed.context["records"]] == ["refused"]
    assert len(client.get(reverse("devices:ledger"), {"q": "nobody at all"}).context["records"]) == 0


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "\u3000＝1",
    "|cmd",
    "%0A",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_s34_no_cell_of_an_export_is_a_formula(text: str) -> None:
    assert spreadsheets.harmless(text) == f"'{text}"
    assert spreadsheets.harmless(-1.5) == -1.5
    assert spreadsheets.harmless("点位-1") == "点位-1"
    if "\r" in text:
        return
    camera = factories.camera(name=f"{text}x")
    owner = camera.managing_organisation
    audit.record(factories.principal(), "camera.live", camera, owner_id=owner.pk, case=text, purpose="case")
    answer = client_of(factories.user(owner, ("operator",))).get(reverse("devices:ledger-export"))
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(body)) for cell in row]
    assert f"'{text}x" in cells
    assert [cell for cell in cells if cell[:1] in spreadsheets.STARTS] == []


def _looks(principal: Any, camera: Camera, moments: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for number, moment in enumerate(moments):
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda moment=moment: moment)
            audit.record(principal, "picture.view", owner_id="", name=str(camera.pk), path=f"{number}.jpg")


def test_odd_looking_is_flagged_once_and_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.VANTAGE_ODD_LOOKING = {
        "same_camera": 5,
        "night_looks": 4,
        "bulk_cameras": 6,
        "bulk_pictures": 50,
    }
    watcher = factories.user(roles=("audit_admin",))
    day = timezone.localdate(clock.now()) - timedelta(days=3)
    at = timezone.datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo(settings.TIME_ZONE))
    steady, owl, hoarder, normal = (factories.principal() for _ in range(4))
    camera = factories.camera()
    ten = timedelta(minutes=10)
    _looks(steady, camera, [at + ten * number for number in range(5)], monkeypatch)
    _looks(normal, camera, [at + timedelta(seconds=5 * number) for number in range(40)], monkeypatch)
    _looks(owl, camera, [at.replace(hour=2) + ten * number for number in range(4)], monkeypatch)
    for _number in range(6):
        _looks(hoarder, factories.camera(), [at], monkeypatch)
    made = flag_odd_looking(day)
    assert {(row.kind, row.actor_name) for row in made} == {
        ("same_camera", steady.name),
        ("night", owl.name),
        ("bulk", hoarder.name),
    }
    assert Notification.objects.get(user=watcher, kind="looking.flag")
    assert flag_odd_looking(day) == []
    assert OddLooking.objects.count() == 3
    client = client_of(watcher)
    shown = client.get(reverse("devices:odd-list"))
    assert steady.name in shown.content.decode()
    row = OddLooking.objects.get(kind="night")
    client.post(reverse("devices:odd-note", args=[row.pk]), {"note": "night shift"})
    row.refresh_from_db()
    assert (row.note, bool(row.noted_at)) == ("night shift", True)
    for user in (factories.user(roles=("operator",)), factories.user(roles=("security_admin",))):
        assert client_of(user).get(reverse("devices:odd-list")).status_code == 404
