"""S36: filters, ordering and JSON paths that a client makes up: never a database error, never a foreign row."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.attacks import world as worlds
from tests.openapi import builders

NAMES = (
    "_connector", "_negated", "ordering", "order_by", "o", "sort", "pk", "id", "id__in", "id__gt", "id__isnull",
    "password", "user__password", "organisation__users__password__startswith", "app__keys__digest__startswith",
    "camera__streams__sealed", "camera__managing_organisation__name__regex", "subscription__secrets__0__sealed",
    "body__data__camera__name", "explanation__0", "summary__x' OR 1=1 --", "fields", "expand", "include", "q",
    "search", "filter[]", "where", "raw", "cursor", "limit", "page", "offset", "since", "until", "state", "kind",
    "event", "camera", "bbox", "polygon", "region", "tag", "code",
)  # fmt: skip
VALUES = (
    "' OR '1'='1", "1; DROP TABLE events_event --", "OR", "AND", "-password", "?", "%00", "\x00", "{}", "[]", "null",
    '{"_connector": "OR 1=1) --"}', "1e309", "-1", "9" * 400, "undefined", "😀", "a" * 5000, "*",
    "2026-13-45T99:99:99", "cD0yMDI2", "00000000-0000-0000-0000-000000000000", "../../etc/passwd", "${7*7}", "İ",
)  # fmt: skip
RANDOM = random.Random(36)


def lists() -> list[str]:
    """Every path of the interface that answers GET without an id."""
    found = set()

    def walk(patterns: list[Any], prefix: str) -> None:
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, route)
            elif isinstance(entry, URLPattern) and route.startswith("api/v1/") and "<" not in route:
                actions = getattr(entry.callback, "actions", {"get": "get"})
                if "get" in actions and "format" not in route:
                    found.add("/" + route.replace("^", "").replace("$", "").replace("\\Z", ""))

    walk(get_resolver().url_patterns, "")
    return sorted(found)


def made_up(count: int) -> list[dict[str, str]]:
    """Queries of one to three made-up parts, and some of nothing but noise."""
    queries = [{name: RANDOM.choice(VALUES)} for name in NAMES]
    for _number in range(count):
        queries.append({RANDOM.choice(NAMES): RANDOM.choice(VALUES) for _part in range(RANDOM.randint(1, 3))})
        noise = "".join(RANDOM.choice(string.printable) for _letter in range(12))
        queries.append({noise: noise})
    return queries


@pytest.mark.django_db
def test_s36_no_made_up_filter_breaks_or_opens_anything(settings: Any, tmp_path: Any) -> None:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    settings.VANTAGE_CALLS_PER_MINUTE = {"key": 10**6, "user": 10**6}
    world = worlds.build()
    client = world.client("other")
    client.raise_request_exception = False
    secret = str(world.camera.pk), str(world.event.pk), str(world.subscription.pk)
    wrong = []
    assert len(lists()) > 8
    for path in lists():
        for query in made_up(12):
            answer = client.get(path, query)
            text = answer.content.decode("utf-8", "replace") if not answer.streaming else ""
            if answer.status_code >= 500 or any(one in text for one in secret if one not in str(query)):
                wrong.append((path, query, answer.status_code))
    assert wrong == []


@pytest.mark.django_db
def test_s36_made_up_fields_in_a_body_are_named_and_refused() -> None:
    text = builders.key(None, "subscriptions:write", "subscriptions:read").text
    for name in ("_connector", "app__organisation", "secrets", "state__in", "pk", "__class__"):
        answer = Client().post(
            "/api/v1/subscriptions",
            {"name": "x", "endpoint": "http://10.0.0.1/", name: "OR 1=1"},
            content_type="application/json",
            headers={"authorization": f"Bearer {text}"},
        )
        assert answer.status_code == 400
        assert name in answer.json()["fields"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "condition",
    [
        {"attr": "camera__streams__sealed", "op": "eq", "value": "x"},
        {"attr": "_connector", "op": "eq", "value": "OR"},
        {"attr": "score", "op": "raw", "value": "1=1"},
        {"attr": "score", "op": "__class__", "value": 1},
        {"all": {"_connector": "OR"}},
        {"attr": {"a": 1}, "op": "eq", "value": 1},
    ],
)
def test_s36_a_condition_asks_only_about_listed_attributes(condition: Any, outbound_exact: list[str]) -> None:
    from apps.core.errors import Refusal

    outbound_exact.append("127.0.0.1:9")
    with pytest.raises(Refusal) as refused:
        builders.subscription(builders.app(), "http://127.0.0.1:9/", condition=condition)
    assert refused.value.code == "condition_invalid"
