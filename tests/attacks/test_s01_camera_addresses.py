"""S01, S04: hostile camera addresses are refused by form, interface and trial, and nothing is saved.

What the policy refuses reads, word for word, like an address that does not answer.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import av
import pytest
from django.conf import settings as live_settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import User
from apps.core.errors import Refusal
from apps.core.models import AuditRecord
from apps.devices.models import Camera, Stream
from apps.devices.services import add_camera, save_stream, try_stream
from tests.attacks.test_s01_vision_addresses import EVIL
from tests.attacks.test_s05_webhook_addresses import VECTORS
from tests.support import factories

pytestmark = pytest.mark.django_db
WORDS = "Not reachable or not permitted."
MORE_EVIL = [
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file:///proc/self/environ",
    "rtsp://h:99999/",
    "rtsp://h:0/",
]


@pytest.fixture(autouse=True)
def nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("FFmpeg was reached")

    monkeypatch.setattr(av, "open", never)


@pytest.fixture
def manager() -> User:
    return factories.user(roles=("resource_manager",))


def browser(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def form_of(user: User, url: str) -> dict[str, str]:
    return {
        "name": "n", "organisation": user.organisation.code, "kind": "bullet", "stream_url": url,
        "sharing_class": "conditional", "data_class": "general",
    }  # fmt: skip


@pytest.mark.parametrize("url", sorted({*EVIL, *MORE_EVIL}))
def test_s01_refused_by_form_interface_and_trial(url: str, manager: User) -> None:
    client = browser(manager)
    page = client.post(reverse("devices:camera-add"), form_of(manager, url))
    assert page.status_code == 200
    assert page.context["form"].errors["stream_url"]
    answer = client.post("/api/v1/cameras", {"name": "n", "stream_url": url}, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert "stream_url" in answer.json()["fields"]
    trial = client.post("/api/v1/cameras/test-stream", {"url": url}, content_type="application/json")
    assert trial.status_code == 400 or trial.json()["ok"] is False
    shown = client.post(reverse("devices:stream-test"), {"stream_url": url})
    assert "data:image" not in shown.content.decode()
    assert not Camera.objects.exists()
    assert not Stream.objects.exists()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "concat:/etc/passwd", "rtsp://127.0.0.1:6379/", "exec:id"]
)
def test_s01_another_address_for_a_camera_is_refused_and_the_old_one_stays(url: str, manager: User) -> None:
    camera = factories.camera(manager.organisation, address="rtsp://10.1.2.3:554/live")
    page = browser(manager).post(
        reverse("devices:stream-edit", args=[camera.pk]), {"stream_url": url, "transport": "auto"}
    )
    assert page.context["form"].errors["stream_url"]
    assert Stream.objects.get(camera=camera).address == "rtsp://10.1.2.3:554/live"


def test_s01_a_permitted_folder_opens_no_way_out_of_it(manager: User, settings: Any, tmp_path: Any) -> None:
    settings.VANTAGE_MEDIA_ROOTS = [str(tmp_path)]
    (tmp_path / "link").symlink_to("/etc/passwd")
    for url in (
        f"file://{tmp_path}/../../etc/passwd",
        f"file://{tmp_path}/link",
        f"{tmp_path}-other/x",
        "/etc/passwd",
    ):
        with pytest.raises(Refusal):
            save_stream(
                by=factories.principal(manager.organisation, ("resource_manager",)),
                camera=factories.camera(manager.organisation),
                url=url,
            )
    assert not Stream.objects.exists()


def _platform() -> list[str]:
    return [
        f"127.0.0.1:{live_settings.DATABASES['default'].get('PORT') or 5432}",
        f"127.0.0.1:{urlsplit(live_settings.REDIS_URL).port or 6379}",
        f"127.0.0.1:{urlsplit(live_settings.VANTAGE_PUBLIC_URL).port or 80}",
    ]


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_s04_loopback_metadata_and_own_services_read_like_unreachable(
    scheme: str, manager: User, outbound_exact: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    by = factories.principal(manager.organisation, ("resource_manager",))
    port = _closed_port()
    outbound_exact.append(f"127.0.0.1:{port}")
    with translation.override("en"):
        closed = try_stream(by=by, url=f"http://127.0.0.1:{port}/live")
        assert (closed.fault, closed.words.startswith(WORDS)) == ("unreachable", True)
        hosts = [f"{host}:554" for host in VECTORS] + _platform()
        for host in hosts:
            url = f"{scheme}://{host}/live"
            trial = try_stream(by=by, url=url)
            assert (trial.fault, trial.words) == (closed.fault, closed.words), host
            with pytest.raises(Refusal) as refused:
                add_camera(by=by, organisation=manager.organisation, name="n", stream_url=url)
            assert (refused.value.code, str(refused.value.message)) == (closed.fault, closed.words), host
    assert not Camera.objects.exists()
    assert AuditRecord.objects.filter(action="stream.refused").count() == 2 * len(hosts)
    record = AuditRecord.objects.filter(action="stream.refused").latest("seq")
    assert record.detail["reason"] == "own service"
    assert record.actor_id == str(by.id)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_s04_a_name_that_resolves_inside_is_refused(
    address: str, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.core.outbound.policy import OutboundPolicy

    monkeypatch.setattr(
        "apps.core.outbound.settings.configured_policy",
        lambda: OutboundPolicy.build(allow=["10.0.0.0/8"]).__class__(resolver=lambda host: [address]),
    )
    by = factories.principal(manager.organisation, ("resource_manager",))
    assert try_stream(by=by, url="rtsp://camera.example/live").fault == "unreachable"


def test_s04_a_refusal_leaves_its_reason_in_the_audit_and_not_on_the_form(manager: User) -> None:
    page = browser(manager).post(
        reverse("devices:camera-add"), form_of(manager, "rtsp://u:hunter2@127.0.0.1:6379/x")
    )
    reasons = set(
        AuditRecord.objects.filter(action="stream.refused").values_list("detail__reason", flat=True)
    )
    assert reasons == {"always denied range"} or reasons == {"own service"}
    text = page.content.decode()
    assert not any(reason in text for reason in reasons)
    assert not AuditRecord.objects.filter(object_name__contains="hunter2").exists()
