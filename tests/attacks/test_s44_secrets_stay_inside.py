"""S44: passwords, keys and signing secrets never stand in logs, answers, audit records or plain columns.

Canaries are put in as camera password, API key, webhook secret and login password; the flows run with logging at
DEBUG through the deployment's own filter and formatter, and everything that came out is searched.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from apps.core.logs import JsonFormatter, SecretFilter, masked
from apps.devices.models import Stream
from apps.devices.services import open_stream_url
from tests.openapi import builders as openapi
from tests.support import factories
from tests.support.http_camera import HttpCamera

CAMERA = "Canary0camera0Pw"
WRONG = "Canary0wrong0Pw"
LOGIN = "Canary0login0Pw"
CANARIES = (CAMERA, WRONG, LOGIN)


class Everything:
    """What came out: log lines and bodies."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.bodies: list[str] = []

    def keep(self, answer: Any) -> Any:
        """Remember an answer: body and headers."""
        self.bodies.append(answer.content.decode("utf-8", "replace") + str(answer.headers))
        return answer

    def holds(self, secret: str) -> list[str]:
        """Where the secret was seen."""
        lines = [f"log: {line}" for line in self.log.getvalue().splitlines() if secret in line]
        return lines + [f"answer: {body[:200]}" for body in self.bodies if secret in body]


@pytest.fixture
def out() -> Iterator[Everything]:
    everything = Everything()
    handler = logging.StreamHandler(everything.log)
    handler.addFilter(SecretFilter())
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield everything
    root.removeHandler(handler)
    root.setLevel(before)


def client_of(user: Any) -> Client:
    """A browser of that user."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def auditor() -> Client:
    """Who reads the trail, and nothing else."""
    return client_of(factories.user(roles=("audit_admin",)))


def columns_holding(secret: str) -> list[str]:
    """Every text or JSON column of every table that holds the secret in the clear."""
    from django.db import connection

    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if not model._meta.managed:
                continue
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


@pytest.mark.django_db
def test_s44_a_camera_password_stays_inside(out: Everything, outbound_exact: list[str]) -> None:
    user = factories.user(roles=("resource_manager", "developer"))
    client = client_of(user)
    with HttpCamera() as camera:
        camera.add("/locked", b"no", status=401)
        outbound_exact.append(f"127.0.0.1:{camera.port}")
        for path in ("/locked", "/nothing", "/live"):
            url = camera.url(path).replace("//", f"//admin:{CAMERA}@")
            data = {
                "name": f"n{path}", "organisation": user.organisation.code, "kind": "bullet", "stream_url": url,
                "sharing_class": "conditional", "data_class": "general",
            }  # fmt: skip
            out.keep(client.post(reverse("devices:stream-test"), {"stream_url": url}))
            out.keep(
                client.post("/api/v1/cameras/test-stream", {"url": url}, content_type="application/json")
            )
            answer = client.post(reverse("devices:camera-add"), data)
            assert answer.status_code == 302
            body = {"name": "m", "stream_url": url}
            out.keep(client.post("/api/v1/cameras", body, content_type="application/json"))
    assert Stream.objects.count() == 6
    stream = Stream.objects.first()
    assert CAMERA in open_stream_url(stream), "the canary is there, sealed"
    for path in (
        f"/devices/cameras/{stream.camera_id}/", f"/devices/cameras/{stream.camera_id}/stream/",
        "/devices/cameras/", f"/api/v1/cameras/{stream.camera_id}", "/api/v1/cameras",
    ):  # fmt: skip
        assert out.keep(client.get(path)).status_code == 200
    assert out.keep(auditor().get("/audit/")).status_code == 200
    assert out.holds(CAMERA) == []
    assert columns_holding(CAMERA) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        f"rtsp://admin:{CAMERA}@10.9.9.9:554/live",
        f"rtsp://admin:p@{CAMERA}@10.9.9.9/live",
        f"rtsp://admin:a/{CAMERA}@10.9.9.9/live",
        f"rtsp://10.9.9.9/live?password={CAMERA}",
        f"rtsp://admin:{CAMERA}@[::1/live",
        f"rtsp://admin:{CAMERA}@h:99999/",
        f"concat:rtsp://admin:{CAMERA}@h/",
    ],
)
def test_s44_a_refused_address_tells_no_password(url: str, out: Everything) -> None:
    client = client_of(factories.user(roles=("resource_manager",)))
    out.keep(client.post(reverse("devices:stream-test"), {"stream_url": url}))
    for address in ("/api/v1/cameras/test-stream", "/api/v1/cameras"):
        body = {"url": url} if "test" in address else {"name": "n", "stream_url": url}
        assert out.keep(client.post(address, body, content_type="application/json")).status_code < 500
    out.keep(auditor().get("/audit/"))
    logging.getLogger("x").warning("could not open %s", url)
    assert out.holds(CAMERA) == []
    assert columns_holding(CAMERA) == []


@pytest.mark.django_db
def test_s44_an_unexpected_error_tells_no_password(out: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**given: Any) -> None:
        raise RuntimeError(f"could not connect to {given['url']}")

    monkeypatch.setattr("apps.devices.services.try_stream", broken)
    user = factories.user(roles=("resource_manager",))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    url = f"rtsp://admin:{CAMERA}@10.9.9.9:554/live"
    for answer in (
        client.post(reverse("devices:stream-test"), {"stream_url": url}),
        client.post("/api/v1/cameras/test-stream", {"url": url}, content_type="application/json"),
    ):
        assert out.keep(answer).status_code == 500
    assert out.log.getvalue().count("could not connect to rtsp://admin:***@") >= 2
    assert out.holds(CAMERA) == []


@pytest.mark.django_db
def test_s44_a_login_password_stays_inside(out: Everything, settings: Any) -> None:
    settings.AXES_ENABLED = True
    user = factories.user()
    user.set_password(LOGIN)
    user.save()
    client = Client()
    for password in (WRONG, LOGIN):
        out.keep(client.post("/login/", {"username": user.username, "password": password}))
    data = {"old_password": WRONG, "new_password1": LOGIN + "x", "new_password2": LOGIN + "y"}
    out.keep(client.post("/password_change/", data))
    out.keep(client.post("/accounts/second-factor/enrol/", {"code": "123456", "password": WRONG}))
    for canary in (WRONG, LOGIN):
        assert out.holds(canary) == []
        assert columns_holding(canary) == []


@pytest.mark.django_db
def test_s44_a_key_and_a_signing_secret_stay_inside(out: Everything, outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    organisation = factories.organisation()
    app = openapi.app(organisation)
    key = openapi.key(app, "events:read", "cameras:read", "subscriptions:read").text
    made = openapi.subscription(app, "http://127.0.0.1:9/hook")
    bare = made.secret.removeprefix("whsec_")
    machine = Client(raise_request_exception=False)
    person = client_of(factories.user(organisation, roles=("developer",)))
    for path in (
        "cameras",
        "events",
        "subscriptions",
        "deliveries",
        "packages",
        f"subscriptions/{made.subscription.pk}",
    ):
        out.keep(machine.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"}))
        out.keep(machine.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}x"}))
    out.keep(machine.get(f"/api/v1/cameras?key={key}"))
    for path in (
        f"/openapi/apps/{app.pk}/", f"/openapi/subscriptions/{made.subscription.pk}/",
        f"/openapi/subscriptions/{made.subscription.pk}/edit/",
    ):  # fmt: skip
        assert out.keep(person.get(path)).status_code == 200, path
    assert out.keep(auditor().get("/audit/")).status_code == 200
    openapi.deliver()
    logging.getLogger("x").info("headers %s", {"Authorization": f"Bearer {key}"})
    for secret in (key, key.split("_", 2)[2], made.secret, bare):
        assert out.holds(secret) == []
        assert columns_holding(secret) == []


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://admin:{CAMERA}@h/x",
        f"rtsp://admin:a@{CAMERA}@h/x",
        f"rtsp://admin:a/{CAMERA}@h/x",
        f"http://h/x?user=a&password={CAMERA}&y=1",
        f"http://h/x?pwd={CAMERA}",
        f"redis://:{CAMERA}@h:1/0",
        f"postgresql://u:{CAMERA}@h/db",
        f"{{'password': '{CAMERA}'}}",
        f'{{"secret":"{CAMERA}"}}',
        f"Authorization: Bearer {CAMERA}",
        f"X-Api-Key: {CAMERA}",
        f"vk_abcd_{CAMERA}",
        f"whsec_{CAMERA}",
    ],
)
def test_s44_the_filter_masks(text: str) -> None:
    assert CAMERA not in masked(text)


def test_s44_a_log_call_with_wrong_arguments_does_not_break_its_caller(out: Everything) -> None:
    logging.getLogger("x").warning("%s and %s", f"password={CAMERA}")
    assert out.holds(CAMERA) == []
