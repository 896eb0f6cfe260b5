"""Adding, changing and reading cameras through pages and interface, with a real stream on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core.models import AuditRecord
from apps.devices.models import Camera, Region, Stream
from apps.devices.services import open_stream_url
from tests.support import factories
from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(frames=30, gop=10)


@pytest.fixture
def live(clip: bytes, outbound_exact: list[str]) -> Iterator[HttpCamera]:
    with HttpCamera() as camera:
        camera.add_live("/live.ts", clip)
        camera.add("/locked", b"no", status=401)
        camera.add("/words", b"hello, I am a web page", kind="text/html")
        outbound_exact.append(f"127.0.0.1:{camera.port}")
        yield camera


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def manager() -> User:
    return factories.user(roles=("resource_manager",))


def browser(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def form_of(user: User, url: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": "North gate", "organisation": user.organisation.code, "kind": "dome", "stream_url": url,
        "sharing_class": "conditional", "data_class": "general", "address": "1 Main Road",
        "longitude": "120.5", "latitude": "30.5", **fields,
    }  # fmt: skip


def test_a_camera_is_added_with_what_its_stream_shows(live: HttpCamera, manager: User) -> None:
    Region.objects.create(code="330102", name="Upper", boundary=_square(120, 30, 121, 31))
    Region.objects.create(code="330102001", name="Lower", boundary=_square(120.4, 30.4, 120.6, 30.6))
    url = live.url("/live.ts").replace("//", "//admin:secret@")
    answer = browser(manager).post(reverse("devices:camera-add"), form_of(manager, url))
    camera = Camera.objects.get()
    assert answer["Location"] == reverse("devices:camera-detail", args=[camera.pk])
    assert (camera.state, camera.region.name, camera.managing_organisation) == (
        "online", "Lower", manager.organisation,
    )  # fmt: skip
    stream = camera.streams.get()
    assert (stream.codec, stream.width, stream.height, stream.gop) == ("h264", 320, 180, 10)
    assert stream.frame_rate == pytest.approx(25, abs=1)
    assert "secret" not in stream.address
    assert open_stream_url(stream) == url
    assert camera.identities.get().code.startswith("SELF-")
    assert camera.presets.get().number == 0
    assert AuditRecord.objects.filter(action="camera.add", object_id=str(camera.pk)).exists()
    picture = browser(manager).get(reverse("devices:camera-snapshot", args=[camera.pk]))
    assert picture.content.startswith(b"\xff\xd8")
    assert picture["X-Vantage-Rendition"] == "pixelated-by-detections"
    page = browser(manager).get(answer["Location"]).content.decode()
    assert f"/ws/devices/{camera.pk}/live" in page
    assert "320×180" in page


def _square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/live.ts", "The stream works"),
        ("/locked", "The camera refused the user name or password."),
        ("/gone", "no stream under this path"),
        ("/words", "no picture in this stream|could not be opened|not supported|no complete|damaged"),
    ],
)
def test_a_trial_says_what_it_found_or_why_not(
    path: str, words: str, live: HttpCamera, manager: User
) -> None:
    import re

    page = browser(manager).post(reverse("devices:stream-test"), {"stream_url": live.url(path)})
    assert re.search(words, page.content.decode()), page.content.decode()
    assert not Camera.objects.exists()


def test_the_trial_of_the_interface_gives_figures(live: HttpCamera, manager: User) -> None:
    answer = browser(manager).post(
        "/api/v1/cameras/test-stream", {"url": live.url("/live.ts")}, content_type="application/json"
    )
    found = answer.json()
    assert (found["ok"], found["codec"], found["width"], found["fault"]) == (True, "h264", 320, "")


def test_an_unreachable_camera_may_be_kept_and_is_not_online(live: HttpCamera, manager: User) -> None:
    browser(manager).post(reverse("devices:camera-add"), form_of(manager, live.url("/gone")))
    camera = Camera.objects.get()
    assert camera.state == "unknown"
    assert camera.streams.get().codec == ""


def test_a_code_is_checked_and_not_taken_twice(manager: User) -> None:
    client = browser(manager)
    code = "33010200001310000001"
    for expected in (201, 400):
        answer = client.post("/api/v1/cameras", {"name": "n", "code": code}, content_type="application/json")
        assert answer.status_code == expected, answer.content
    assert Camera.objects.count() == 1
    assert Camera.objects.get().identities.get().system == "gb28181"


def test_another_stream_address_keeps_the_password_only_for_its_host(manager: User) -> None:
    camera = factories.camera(manager.organisation)
    by = factories.principal(manager.organisation, ("resource_manager",))
    from apps.devices.services import save_stream

    def save(url: str, allow: list[str]) -> Stream:
        from django.test import override_settings

        with override_settings(VANTAGE_OUTBOUND_ALLOW=allow):
            return save_stream(by=by, camera=camera, url=url)

    allow = ["10.0.0.0/8"]
    assert open_stream_url(save("rtsp://u:pw@10.0.0.1/a", allow)) == "rtsp://u:pw@10.0.0.1/a"
    assert open_stream_url(save("rtsp://10.0.0.1/b", allow)) == "rtsp://u:pw@10.0.0.1/b"
    assert open_stream_url(save("rtsp://10.0.0.2/b", allow)) == "rtsp://10.0.0.2/b"


def test_the_card_is_changed_by_its_managers_alone(manager: User) -> None:
    camera = factories.camera(manager.organisation)
    data = {"name": "New name", "kind": "ptz", "sharing_class": "not_shared", "data_class": "core"}
    url = reverse("devices:camera-edit", args=[camera.pk])
    granted = factories.user(roles=("resource_manager",))
    factories.grant_access(camera, granted.organisation, ("view", "live"))
    assert browser(granted).post(url, data).status_code == 404
    assert browser(granted).get(reverse("devices:camera-detail", args=[camera.pk])).status_code == 200
    patch = browser(granted).patch(
        f"/api/v1/cameras/{camera.pk}", {"name": "x"}, content_type="application/json"
    )
    assert patch.status_code == 403
    assert browser(factories.user(manager.organisation)).post(url, data).status_code == 403
    camera.refresh_from_db()
    assert camera.name != "New name"
    assert browser(manager).post(url, data).status_code == 302
    camera.refresh_from_db()
    assert (camera.name, camera.kind, camera.data_class) == ("New name", "ptz", "core")
    assert "New name" in camera.search_text
    record = AuditRecord.objects.filter(action="camera.change").get()
    assert set(record.detail["fields"]) >= {"name", "kind"}


@pytest.mark.parametrize(
    "field",
    ["id", "state", "managing_organisation", "is_enabled", "last_seen_at", "cover", "is_demo", "region"],
)
def test_s40_what_is_not_a_field_of_the_card_cannot_be_set(field: str, manager: User) -> None:
    camera = factories.camera(manager.organisation)
    client = browser(manager)
    for answer in (
        client.patch(f"/api/v1/cameras/{camera.pk}", {field: "x"}, content_type="application/json"),
        client.post("/api/v1/cameras", {"name": "n", field: "x"}, content_type="application/json"),
    ):
        assert answer.status_code == 400
        assert field in answer.json()["fields"]
    assert Camera.objects.count() == 1


def test_nobody_adds_a_camera_to_another_bureau(manager: User) -> None:
    other = factories.organisation()
    body = {"name": "n", "organisation": other.code}
    answer = browser(manager).post("/api/v1/cameras", body, content_type="application/json")
    assert answer.status_code == 403
    page = browser(manager).post(
        reverse("devices:camera-add"), form_of(manager, "rtsp://10.0.0.1/x", organisation=other.code)
    )
    assert page.context["form"].errors["organisation"]
    assert not Camera.objects.exists()


def test_the_page_says_why_there_is_no_live_picture() -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    Stream.objects.filter(camera=camera).update(codec="mjpeg")
    client = browser(factories.user(camera.managing_organisation))
    url = reverse("devices:camera-detail", args=[camera.pk])
    page = client.get(url)
    assert page.context["player_reason"].startswith("Browsers do not play MJPEG")
    assert page.context["player_url"] == ""
    assert page.context["player_snapshot_url"]
    carded = factories.user()
    factories.grant_access(camera, carded.organisation, ("view",))
    page = browser(carded).get(url)
    assert (page.context["player_url"], page.context["player_snapshot_url"]) == ("", "")
    assert "10.1.2.3" not in page.content.decode()


def test_the_list_is_narrowed_paged_and_says_why_it_is_empty() -> None:
    user = factories.user()
    client = browser(user)
    assert "No cameras yet" in client.get(reverse("devices:camera-list")).content.decode()
    for number in range(53):
        camera = factories.camera(user.organisation, name=f"gate {number:02d}")
        Camera.objects.filter(pk=camera.pk).update(
            search_text=camera.name, state="online" if number % 2 else "offline"
        )
    page = client.get(reverse("devices:camera-list"))
    assert len(page.context["page"].rows) == 50
    rest = client.get(reverse("devices:camera-list") + f"?after={page.context['page'].next_cursor}")
    assert [row.name for row in rest.context["page"].rows] == ["gate 02", "gate 01", "gate 00"]
    back = client.get(reverse("devices:camera-list") + f"?before={rest.context['page'].previous_cursor}")
    assert [row.pk for row in back.context["page"].rows] == [row.pk for row in page.context["page"].rows]
    found = client.get(reverse("devices:camera-list") + "?q=gate+07&state=online")
    assert [row.name for row in found.context["page"].rows] == ["gate 07"]
    assert len(found.context["chips"]) == 2
    for strange in ("q=%25", "q=_", "state=nonsense", "after=x", "region=%00", "organisation=%27"):
        assert client.get(reverse("devices:camera-list") + f"?{strange}").status_code == 200, strange


@pytest.mark.parametrize("box", ["", "1,2,3", "a,b,c,d", "1,2,3,4,5"])
def test_a_box_that_is_none_is_told(box: str) -> None:
    client = browser(factories.user())
    assert client.get(reverse("devices:map-data") + f"?bbox={box}").status_code == 400
    assert client.get(f"/api/v1/map?box={box}").status_code == 400


@pytest.mark.parametrize(
    "box", ["nan,nan,nan,nan", "-inf,-inf,inf,inf", "5,5,1,1", "0,0,0,0", "1e308,1,1e309,2"]
)
def test_a_strange_box_breaks_nothing(box: str) -> None:
    user = factories.user()
    factories.camera(user.organisation)
    assert browser(user).get(reverse("devices:map-data") + f"?bbox={box}").status_code == 200
