"""S37: guessing passwords: locked after five, unknown names alike, forged addresses useless, spraying noticed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import hashers
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Notification
from apps.accounts.services.lockout import LoginGuard
from apps.core import clock
from apps.core.models import AuditRecord
from tests.attacks.test_s14_every_route import plain
from tests.support import factories

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.9"


@pytest.fixture(autouse=True)
def guarded(settings: Any) -> None:
    settings.AXES_ENABLED = True
    settings.VANTAGE_PROXIES = []
    cache.clear()


def attempt(name: str, password: str = "wrong", address: str = ADDRESS, **headers: str) -> Any:
    """One try in a fresh browser."""
    client = Client(REMOTE_ADDR=address, headers=headers)
    answer = client.post("/login/", {"username": name, "password": password})
    answer.is_in = client.get("/profile/").status_code == 200
    return answer


def test_s37_five_wrong_ones_lock_the_account_from_everywhere() -> None:
    user = factories.user()
    statuses = [attempt(user.username, address=f"203.0.113.{number}").status_code for number in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    right = attempt(user.username, factories.PASSWORD, address="198.51.100.1")
    assert (right.status_code, right.is_in) == (429, False)
    assert AuditRecord.objects.filter(action="login.locked", object_name=user.username).exists()


def test_s37_the_lock_ends_after_a_quarter_of_an_hour_and_is_not_kept_up_by_going_on() -> None:
    user, start = factories.user(), clock.now()
    for minute in (0, 0, 0, 0, 0, 5, 10, 14):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            attempt(user.username)
    with time_machine.travel(start + timedelta(minutes=16), tick=False):
        assert attempt(user.username, factories.PASSWORD).status_code == 302


def test_s37_an_unknown_name_answers_like_a_known_one_to_the_last_attempt() -> None:
    known = factories.user().username
    unknown = "x" * len(known)
    for number in range(7):
        answers = [attempt(name, address=f"203.0.113.{number}") for name in (known, unknown)]
        texts = {plain(answer).replace(known, "N").replace(unknown, "N") for answer in answers}
        assert len(texts) == 1, number
        assert len({answer.status_code for answer in answers}) == 1, number


def test_s37_an_unknown_name_costs_as_much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not measured: the password hash is computed once for anybody, existing, unknown or put out of use."""
    hasher = hashers.get_hasher()
    counted: list[str] = []
    kind = type(hasher)
    encode = kind.encode
    monkeypatch.setattr(kind, "encode", lambda self, *given: counted.append("x") or encode(self, *given))
    user, idle = factories.user(), factories.user(is_active=False)
    costs = []
    for name in (user.username, "nobody-of-this-name", idle.username):
        counted.clear()
        attempt(name)
        costs.append(len(counted))
    assert costs == [1, 1, 1]


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip"]
)
def test_s37_a_forged_address_neither_hides_nor_blames(header: str) -> None:
    """Spraying from one address with a new forged one each time: the address itself is locked, the forged is not."""
    names = [factories.user().username for _ in range(6)]
    for number, name in enumerate(names[:5]):
        attempt(name, **{header: f"198.51.100.{number}"})
    assert attempt(names[5], factories.PASSWORD, **{header: "198.51.100.77"}).status_code == 429
    assert attempt(names[5], factories.PASSWORD, address="198.51.100.1").status_code == 302


@pytest.mark.parametrize(
    ("said", "peer", "seen"),
    [
        ("198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7, 10.0.0.2", "10.0.0.1", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("nonsense", "10.0.0.1", "10.0.0.1"),
        ("198.51.100.7, nonsense", "10.0.0.1", "10.0.0.1"),
        ("2001:db8::7", "10.0.0.1", "2001:db8::7"),
    ],
)
def test_s37_a_trusted_proxy_is_believed_from_the_right(
    said: str, peer: str, seen: str, settings: Any
) -> None:
    settings.VANTAGE_PROXIES = ["10.0.0.0/8"]
    user = factories.user()
    attempt(user.username, factories.PASSWORD, address=peer, **{"X-Forwarded-For": said})
    assert AuditRecord.objects.filter(action="session.login", outcome="done").latest("seq").address == seen


def test_s37_spraying_reaches_the_security_administrator_once() -> None:
    watcher = factories.user(roles=("security_admin",))
    names = [f"guess{number}" for number in range(3)] + [factories.user().username for _ in range(5)]
    for name in names:
        attempt(name)
    notes = Notification.objects.filter(user=watcher, kind="login.spraying")
    assert [ADDRESS in note.body for note in notes] == [True]
    record = AuditRecord.objects.get(action="login.spraying")
    assert (record.object_name, record.detail["accounts"]) == (ADDRESS, 5)


def test_s37_one_clumsy_person_locks_nobody_else_of_the_office() -> None:
    clumsy, colleague = factories.user(), factories.user()
    for _ in range(8):
        attempt(clumsy.username)
    assert attempt(colleague.username, factories.PASSWORD).status_code == 302


def test_s37_a_login_of_ones_own_does_not_clean_the_address() -> None:
    own = factories.user()
    for number in range(5):
        attempt(factories.user().username)
        if number == 3:
            assert attempt(own.username, factories.PASSWORD).status_code == 302
    assert attempt(own.username, factories.PASSWORD).status_code == 429


def test_s37_the_handler_in_use_is_ours(settings: Any) -> None:
    assert f"{LoginGuard.__module__}.{LoginGuard.__qualname__}" == settings.AXES_HANDLER
    assert settings.AXES_FAILURE_LIMIT == 5


def test_s37_the_django_admin_has_no_door_of_its_own() -> None:
    answer = Client().post("/manage/login/", {"username": "x", "password": "y"})
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=%2Fmanage%2F")
