"""S41: the limit of calls is counted in one step: of 200 parallel calls exactly 100 pass."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.core import rates
from apps.core.ids import uuid7
from tests.openapi import builders
from tests.support import factories

LIMIT, CALLS = 100, 200
PATH = "/api/v1/subscriptions"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.VANTAGE_CALLS_PER_MINUTE = {"key": LIMIT, "user": LIMIT}


def parallel(call: Any) -> list[Any]:
    def one(_number: int) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(one, range(CALLS)))


@pytest.mark.django_db(transaction=True)
def test_s41_exactly_the_limit_passes_of_parallel_calls() -> None:
    text = builders.key(None, "subscriptions:read").text
    answers = parallel(lambda: Client().get(PATH, headers={"authorization": f"Bearer {text}"}))
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(passed), len(refused)) == (LIMIT, CALLS - LIMIT)
    assert sorted(int(answer["RateLimit-Remaining"]) for answer in passed) == list(range(LIMIT))
    for answer in refused:
        assert answer["Content-Type"].startswith("application/problem+json")
        assert answer.json()["code"] == "throttled"
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == (str(LIMIT), "0")


@pytest.mark.django_db
def test_s41_each_key_and_each_person_has_a_count_of_its_own() -> None:
    app = builders.app()
    first, second = (builders.key(app, "subscriptions:read").text for _number in range(2))
    user = factories.user()
    client = Client()
    client.force_login(user)
    get = lambda text: Client().get(PATH, headers={"authorization": f"Bearer {text}"})  # noqa: E731
    assert [get(first)["RateLimit-Remaining"] for _call in range(2)] == ["99", "98"]
    assert get(second)["RateLimit-Remaining"] == "99"
    other = Client(REMOTE_ADDR="10.9.9.9", headers={"x-forwarded-for": "10.1.1.1"})
    assert other.get(PATH, headers={"authorization": f"Bearer {first}"})["RateLimit-Remaining"] == "97"
    assert client.get(PATH)["RateLimit-Remaining"] == "99"


def test_s41_parallel_counts_never_share_a_number() -> None:
    name = f"test:{uuid7()}"
    verdicts = parallel(lambda: rates.count_call(name, LIMIT))
    assert sorted(verdict.used for verdict in verdicts) == list(range(1, CALLS + 1))
    assert sum(verdict.is_allowed for verdict in verdicts) == LIMIT


def test_s41_without_valkey_each_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def away() -> Any:
        asked.append(None)
        raise ConnectionError

    monkeypatch.setattr(rates, "client", away)
    monkeypatch.setattr(rates, "_away_until", 0.0)
    name = f"test:{uuid7()}"
    assert [rates.count_call(name, 2).is_allowed for _call in range(3)] == [True, True, False]
    assert len(asked) == 1, "a call does not wait for what was away a moment ago"
