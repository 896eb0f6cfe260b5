"""S38: a session is nobody else's: new keys at login and with new rights, an end by idleness and age, CSRF."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as live_settings
from django.test import Client

from apps.accounts.models import Session
from apps.accounts.permissions import SYSTEM
from apps.accounts.services import bind_role, unbind_role
from apps.accounts.services.sessions import BEGAN, LAST_SEEN, mark_of
from apps.core import clock
from tests.attacks.sockets import Socket, session_of
from tests.attacks.test_s13_keys_and_scopes import operations
from tests.support import factories

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def logged_in(user: Any = None, **options: Any) -> Client:
    """A browser after the real form."""
    client = Client(**options)
    name = (user or factories.user()).username
    token = {"csrfmiddlewaretoken": client.get("/login/").cookies["csrftoken"].value}
    assert (
        client.post("/login/", {"username": name, "password": factories.PASSWORD, **token}).status_code == 302
    )
    return client


def key_of(client: Client) -> str:
    return str(client.cookies["sessionid"].value)


def is_in(client: Client, **headers: str) -> bool:
    return client.get("/profile/", headers=headers).status_code == 200


def test_s38_a_planted_key_is_not_the_key_after_login() -> None:
    victim = Client()
    planted = Client()
    session = planted.session
    session["x"] = 1
    session.save()
    victim.cookies["sessionid"] = session.session_key
    victim.post("/login/", {"username": factories.user().username, "password": factories.PASSWORD})
    assert is_in(victim)
    assert key_of(victim) != session.session_key
    planted.cookies["sessionid"] = session.session_key
    assert not is_in(planted)


def test_s38_the_csrf_token_changes_at_login() -> None:
    client = Client()
    before = client.get("/login/").cookies["csrftoken"].value
    client.post("/login/", {"username": factories.user().username, "password": factories.PASSWORD})
    assert client.cookies["csrftoken"].value != before


@pytest.mark.parametrize("change", ["bind", "unbind"])
def test_s38_a_changed_role_changes_the_key(change: str) -> None:
    user = factories.user(roles=("event_reviewer", "developer"))
    client = logged_in(user)
    stolen = key_of(client)
    if change == "bind":
        bind_role(by=SYSTEM, user=user, role="resource_manager")
    else:
        unbind_role(by=SYSTEM, user=user, role="developer")
    assert is_in(client)
    assert key_of(client) != stolen
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert not is_in(thief)


def test_s38_cookies_are_closed(settings: Any) -> None:
    client = logged_in()
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert client.cookies["csrftoken"]["samesite"] == "Lax"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = logged_in()
    assert (client.cookies["sessionid"]["secure"], client.cookies["csrftoken"]["secure"]) == (True, True)


def test_s38_every_writing_operation_of_the_interface_wants_the_token() -> None:
    client = logged_in(enforce_csrf_checks=True)
    tried = 0
    for method, path, _action, _scope in operations():
        if method in {"get", "head"}:
            continue
        tried += 1
        without = getattr(client, method)(path, data="{}", content_type="application/json")
        assert without.status_code == 403, (method, path)
        wrong = getattr(client, method)(
            path, data="{}", content_type="application/json", headers={"X-CSRFToken": "x" * 64}
        )
        assert wrong.status_code == 403, (method, path)
    assert tried > 10
    token = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/cameras", data="{}", content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 400, "with the token the request reaches the form"


def test_s38_a_key_needs_no_csrf_token_and_a_cookie_beside_it_gives_nothing() -> None:
    from tests.openapi import builders

    client = logged_in(factories.user(roles=("resource_manager",)), enforce_csrf_checks=True)
    key = builders.key(None, "events:read").text
    answer = client.post(
        "/api/v1/cameras", data="{}", content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 403


def test_s38_half_an_hour_without_a_person_ends_it() -> None:
    start = clock.now()
    with time_machine.travel(start, tick=False):
        client = logged_in()
    for minutes in (20, 40, 60):  # used every 20 minutes
        with time_machine.travel(start + minutes * MINUTE, tick=False):
            assert is_in(client)
    with time_machine.travel(start + 91 * MINUTE, tick=False):
        assert not is_in(client)
        assert not Session.objects.filter(session_key=key_of(client)).exists()


@pytest.mark.parametrize(
    "headers", [{"X-Background": "1"}, {"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "video"}]
)
def test_s38_a_page_that_refreshes_itself_keeps_nothing_alive(headers: dict[str, str]) -> None:
    start = clock.now()
    with time_machine.travel(start, tick=False):
        client = logged_in()
        is_in(client)
    for minutes in range(1, 30, 4):
        with time_machine.travel(start + minutes * MINUTE, tick=False):
            assert is_in(client, **headers), minutes
    with time_machine.travel(start + 31 * MINUTE, tick=False):
        assert not is_in(client, **headers)


def test_s38_use_does_not_carry_it_over_its_longest_time() -> None:
    start, longest = clock.now(), live_settings.VANTAGE_SESSION_SECONDS // 60
    assert longest == 12 * 60
    with time_machine.travel(start, tick=False):
        client = logged_in()
    for minutes in range(20, longest, 20):
        with time_machine.travel(start + minutes * MINUTE, tick=False):
            assert is_in(client), minutes
    with time_machine.travel(start + (longest + 1) * MINUTE, tick=False):
        assert not is_in(client)


def _age(key: str, **seconds: int) -> None:
    """Move moments of a session into the past."""
    row = Session.objects.get(session_key=key)
    store = Session.get_session_store_class()(key)
    data = row.get_decoded()
    for name, ago in seconds.items():
        data[{"seen": LAST_SEEN, "began": BEGAN}[name]] = int(time.time()) - ago
    row.session_data = store.encode(data)
    row.save()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [{"seen": 31 * 60}, {"began": 12 * 3600 + 60}])
async def test_s38_an_open_socket_neither_keeps_a_session_alive_nor_outlives_it(how: dict[str, int]) -> None:
    from asgiref.sync import sync_to_async

    user = await sync_to_async(factories.user)()
    key = await sync_to_async(session_of)(user)
    socket = Socket("/ws/live", key)
    assert await socket.connect()
    before = (await sync_to_async(Session.objects.get)(session_key=key)).session_data
    assert await socket.closed_within(1) is None
    after = (await sync_to_async(Session.objects.get)(session_key=key)).session_data
    assert after == before, "listening is not using"
    await sync_to_async(_age)(key, **how)
    assert await socket.closed_within(6) == 4401


def test_s38_open_sessions_are_listed_and_ended_by_their_owner_alone() -> None:
    user, other = factories.user(), factories.user()
    here = logged_in(user, headers={"User-Agent": "Here/1"})
    there = logged_in(user, headers={"User-Agent": "There/2"}, REMOTE_ADDR="198.51.100.7")
    stranger = logged_in(other)
    page = here.get("/profile/").content.decode()
    assert "There/2" in page
    assert "198.51.100.7" in page
    for key in (key_of(here), key_of(there)):
        assert key not in page
    stranger.post("/accounts/sessions/end/", {"mark": mark_of(key_of(there))})
    assert is_in(there)
    assert here.post("/accounts/sessions/end/", {"mark": mark_of(key_of(there))}).status_code == 302
    assert (is_in(here), is_in(there), is_in(stranger)) == (True, False, True)


def test_s38_all_others_end_at_once() -> None:
    user = factories.user()
    here, *others = (logged_in(user) for _ in range(4))
    here.post("/accounts/sessions/end/")
    assert [is_in(client) for client in (here, *others)] == [True, False, False, False]


def test_s38_the_oldest_session_gives_way(settings: Any) -> None:
    settings.VANTAGE_SESSIONS_PER_USER = 2
    user, start = factories.user(), clock.now()
    clients = []
    for minute in range(3):
        with time_machine.travel(start + minute * MINUTE, tick=False):
            clients.append(logged_in(user))
    with time_machine.travel(start + 3 * MINUTE, tick=False):
        assert [is_in(client) for client in clients] == [False, True, True]
