"""S13: a key works only inside its scopes, its bureau, its addresses and its time; generated from the URL conf."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.core import clock
from apps.core.models import AuditRecord
from apps.openapi.choices import Scope
from tests.openapi import builders

#: What is open without a scope: the schema and the page that shows it.
OPEN = {"schema", "api-docs"}
METHODS = ("get", "post", "put", "patch", "delete")


def _walk(patterns: list[Any], prefix: str = "") -> list[tuple[str, URLPattern]]:
    found: list[tuple[str, URLPattern]] = []
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += _walk(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            found.append((route, entry))
    return found


def operations() -> list[tuple[str, str, str, str]]:
    """(method, path, action, needed scope) of every operation of the interface."""
    rows = []
    for route, pattern in _walk(get_resolver().url_patterns):
        if not route.startswith("api/v1/") or pattern.name in OPEN or "format" in route:
            continue
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        actions = getattr(pattern.callback, "actions", None)
        chosen = actions or {method: method for method in METHODS if hasattr(view, method)}
        for method, action in chosen.items():
            if method == "head":
                continue
            scopes = getattr(view, "scopes", {})
            needed = scopes.get(action) or scopes.get("read" if method == "get" else "write")
            rows.append((method, _path(route), action, needed or ""))
    return sorted(set(rows))


def _path(route: str) -> str:
    import re

    text = re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", str(uuid4()), route)
    return "/" + text.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\.", ".")


def test_s13_every_operation_names_its_scope() -> None:
    rows = operations()
    assert len(rows) > 10
    for method, path, action, needed in rows:
        assert needed in Scope.values, f"{method} {path} ({action}) names no known scope"


@pytest.mark.django_db
def test_s13_matrix_of_scopes_and_operations() -> None:
    client = Client(raise_request_exception=False)
    app = builders.app()
    keys = {scope: builders.key(app, scope).text for scope in Scope.values}
    wrong = []
    for method, path, _action, needed in operations():
        for scope, text in keys.items():
            refused = AuditRecord.objects.filter(action="scope.refused").count()
            answer = getattr(client, method)(
                path, data={} if method == "get" else "{}", content_type="application/json",
                headers={"authorization": f"Bearer {text}"},
            )  # fmt: skip
            if scope == needed:
                fine = answer.status_code not in {401, 403}
            else:
                recorded = AuditRecord.objects.filter(action="scope.refused").count() == refused + 1
                fine = answer.status_code == 403 and recorded
            if not fine:
                wrong.append(f"{scope}: {method} {path} → {answer.status_code}")
    assert wrong == []


@pytest.mark.django_db
def test_s13_nobody_gets_401_everywhere() -> None:
    client = Client(raise_request_exception=False)
    for method, path, _action, _needed in operations():
        answer = getattr(client, method)(
            path, data={} if method == "get" else "{}", content_type="application/json"
        )
        assert answer.status_code == 401, f"{method} {path}"


def _get(text: str, address: str = "127.0.0.1", path: str = "/api/v1/subscriptions") -> int:
    return Client(REMOTE_ADDR=address).get(path, headers={"authorization": f"Bearer {text}"}).status_code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"), [("10.2.0.9", 200), ("10.3.0.9", 403), ("::1", 403), ("nonsense", 403)]
)
def test_s13_only_from_its_addresses(address: str, status: int) -> None:
    text = builders.key(None, "subscriptions:read", addresses=["10.2.0.0/16"]).text
    assert _get(text, address) == status
    assert AuditRecord.objects.filter(action="key.refused").count() == (status == 403)


@pytest.mark.django_db
def test_s13_not_after_its_end_nor_revoked_nor_of_an_app_out_of_use() -> None:
    from apps.openapi.services import change_app, revoke_api_key, rotate_api_key

    made = builders.key(None, "subscriptions:read", expires_at=clock.now() + timedelta(days=1))
    assert _get(made.text) == 200
    made.key.expires_at = clock.now() - timedelta(seconds=1)
    made.key.save()
    assert _get(made.text) == 403
    fresh = builders.key(None, "subscriptions:read")
    new = rotate_api_key(by=builders.SYSTEM, key=fresh.key)
    assert (_get(fresh.text), _get(new.text)) == (401, 200)
    revoke_api_key(by=builders.SYSTEM, key=new.key)
    assert _get(new.text) == 401
    other = builders.key(None, "subscriptions:read")
    change_app(by=builders.SYSTEM, app=other.key.app, is_active=False)
    assert _get(other.text) == 401


@pytest.mark.django_db
def test_s13_a_service_off_line_is_refused() -> None:
    from apps.openapi.models import Service
    from apps.openapi.services import sync_services

    sync_services()
    text = builders.key(None, "subscriptions:read").text
    Service.objects.filter(scope="subscriptions:read").update(state="off_line")
    assert _get(text) == 403


@pytest.mark.django_db
def test_s13_another_bureaus_rows_are_not_there(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    row = builders.subscription(builders.app(), "http://127.0.0.1:9/").subscription
    stranger = builders.key(None, "subscriptions:read", "subscriptions:write").text
    head = {"authorization": f"Bearer {stranger}"}
    client = Client()
    for verb, path in (
        ("get", ""), ("patch", ""), ("delete", ""), ("post", "/test"), ("post", "/rotate"), ("post", "/pause"),
        ("post", "/resume"), ("post", "/replay"), ("get", "/explain"),
    ):  # fmt: skip
        answer = getattr(client, verb)(
            f"/api/v1/subscriptions/{row.pk}{path}", data={} if verb == "get" else "{}",
            content_type="application/json", headers=head,
        )  # fmt: skip
        expected = 400 if path == "/replay" else 404
        assert answer.status_code in {404, expected}, f"{verb} {path} {answer.status_code}"
    assert client.get("/api/v1/subscriptions", headers=head).json()["results"] == []
