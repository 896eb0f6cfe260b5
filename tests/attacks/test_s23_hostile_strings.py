"""S23: names that deceive the eye or the log: control and direction characters are taken out wherever text comes in.

ONVIF and GB/T 28181 are not spoken yet; what foreign machines name today comes by package, interface and form.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.models import AlgorithmPackage
from apps.algorithms.services import packages
from apps.core.text import one_line, plain_text
from apps.devices.models import Camera
from tests.support import factories
from tests.support.http_camera import HttpCamera

HOSTILE = "北门\u202egpj.exe\u2066\x00\x07\x1b[31m\x9b2J\u200b\u200f\ufeff\ud800\U000e0041\u2028\x7f一号"
HARMLESS = "北门gpj.exe[31m2J一号"


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        (HOSTILE, HARMLESS),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("普通 name – ünï 😀 ẞ", "普通 name – ünï 😀 ẞ"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("é\u0301", "é\u0301"),
        ("", ""),
    ],
)
def test_s23_what_stays_and_what_goes(given_text: str, wanted: str) -> None:
    assert plain_text(given_text) == wanted


@given(st.text())
def test_s23_twice_is_once_and_it_can_be_stored(text: str) -> None:
    clean = plain_text(text)
    assert plain_text(clean) == clean
    clean.encode("utf-8")
    assert "\x00" not in clean
    line = one_line(text, limit=20)
    assert len(line) <= 20
    assert not set(line) & set("\r\n\t")


@pytest.mark.django_db
def test_s23_a_form_and_the_interface_take_them_out(outbound_exact: list[str]) -> None:
    user = factories.user(roles=("resource_manager",))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    name = HOSTILE.replace("\ud800", "")
    with HttpCamera() as camera:
        outbound_exact.append(f"127.0.0.1:{camera.port}")
        data = {
            "name": name, "organisation": user.organisation.code, "kind": "bullet", "address": name,
            "stream_url": camera.url("/live"), "sharing_class": "conditional", "data_class": "general",
        }  # fmt: skip
        assert client.post(reverse("devices:camera-add"), data).status_code == 302
        body = {"name": name, "address": name, "stream_url": camera.url("/live")}
        assert client.post("/api/v1/cameras", body, content_type="application/json").status_code == 201
    for camera_row in Camera.objects.filter(managing_organisation=user.organisation):
        assert camera_row.name == HARMLESS
        assert camera_row.address == HARMLESS


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["name", "address"])
def test_s23_lengths_are_bounded_with_a_word_not_a_crash(field: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(factories.user(roles=("resource_manager",)))
    body: dict[str, Any] = {"name": "n", "stream_url": "rtsp://10.1.2.3/x"} | {field: "长" * 5000}
    answer = client.post("/api/v1/cameras", body, content_type="application/json")
    assert (answer.status_code, field in answer.json()["fields"]) == (400, True)


@pytest.mark.django_db
def test_s23_what_a_package_calls_itself_is_cleaned_and_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "id": "hostile", "version": "1.0.0", "name": {"zh": HOSTILE, "en": "x" * 500}, "vendor": HOSTILE + "v" * 500,
        "items": [{"code": "a.b", "name": {"zh": HOSTILE, "en": "y\u202e"}}],
    }  # fmt: skip
    read = SimpleNamespace(data={"algorithms": [entry]})
    monkeypatch.setattr(packages, "load_manifest", lambda folder: read)
    package: AlgorithmPackage = factories.package(manifest=packages._manifest(Path()))
    version = packages._register(package, package.manifest["algorithms"][0])
    item = version.algorithm.items.get()
    assert (version.algorithm.name_zh, item.name_zh, item.name_en) == (HARMLESS, HARMLESS, "y")
    assert (len(version.algorithm.name_en), len(version.algorithm.vendor)) == (100, 100)


@pytest.mark.django_db
def test_s23_a_password_stays_as_it_was_typed() -> None:
    user = factories.user()
    user.set_password("zero\u200bwidth Pass 1")
    user.save()
    answer = Client().post("/login/", {"username": user.username, "password": "zero\u200bwidth Pass 1"})
    assert answer.status_code == 302
