"""S47: nobody frames the site, and every answer carries the headers that keep it closed."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.attacks.classes import LOGIN
from tests.attacks.test_s14_every_route import ROUTES, undone, url_of, world  # noqa: F401
from tests.attacks.world import World

WANTED = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def assert_closed(answer: object, where: str) -> None:
    headers = answer.headers  # type: ignore[attr-defined]
    for name, value in WANTED.items():
        assert headers.get(name) == value, (where, name)
    policy = headers.get("Content-Security-Policy", "")
    assert "default-src 'none'" in policy, where
    assert "unsafe-inline" not in policy, where
    assert "unsafe-eval" not in policy, where
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy, where
    assert "Server" not in headers, where
    assert "X-Powered-By" not in headers, where


def test_s47_every_page_is_closed(undone: World) -> None:  # noqa: F811
    client = undone.client("manager")
    for key in sorted(LOGIN):
        if "get" in ROUTES[key].methods:
            assert_closed(client.get(url_of(key, {})), key)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/login/", "/healthz", "/nothing", "/api/v1/cameras", "/manage/", "/static/nothing"]
)
def test_s47_also_for_nobody_and_where_it_fails(path: str) -> None:
    assert_closed(Client(raise_request_exception=False).get(path), path)


@pytest.mark.django_db
def test_s47_no_other_site_may_read_an_answer() -> None:
    for path in ("/api/v1/cameras", "/login/"):
        answer = Client().get(path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
