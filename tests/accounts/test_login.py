"""Login, lockout, logout, password change, idle sessions, language: through the real pages."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.test import Client

from apps.accounts.middleware import LAST_SEEN
from apps.core.models import AuditRecord
from tests.support import factories

pytestmark = pytest.mark.django_db


def log_in(client: Client, username: str, password: str = factories.PASSWORD, **extra: Any) -> Any:
    return client.post("/login/", {"username": username, "password": password, **extra})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_a_right_password_opens_the_desk_and_a_wrong_one_nothing() -> None:
    user, client = factories.user(), Client()
    assert log_in(client, user.username, "wrong").status_code == 200
    assert not is_in(client)
    answer = log_in(client, user.username)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_in(client)
    outcomes = AuditRecord.objects.filter(action="session.login").order_by("seq")
    assert list(outcomes.values_list("outcome", flat=True)) == ["refused", "done"]


def test_the_session_key_changes_at_login() -> None:
    user, client = factories.user(), Client()
    client.get("/login/")
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    log_in(client, user.username)
    assert client.cookies["sessionid"].value != session.session_key


@pytest.mark.parametrize(
    ("target", "to"),
    [
        ("/profile/", "/profile/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:x", "/"),
    ],
)
def test_after_login_the_way_leads_only_inside(target: str, to: str) -> None:
    assert log_in(Client(), factories.user().username, next=target)["Location"] == to


def test_an_unknown_name_and_a_wrong_password_read_the_same() -> None:
    from tests.attacks.test_s14_every_route import plain

    user = factories.user()
    known, unknown = (log_in(Client(), name, "wrong") for name in (user.username, "no" + user.username[2:]))
    assert known.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()
    assert plain(known).replace(user.username, "") == plain(unknown).replace("no" + user.username[2:], "")


def test_an_inactive_user_stays_outside_and_is_put_outside() -> None:
    user, client = factories.user(), Client()
    log_in(client, user.username)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert not is_in(client)
    log_in(client, user.username)
    assert not is_in(client)


def test_five_wrong_passwords_lock_and_a_forged_address_does_not_help(settings: Any) -> None:
    settings.AXES_ENABLED = True
    user, other, client = factories.user(), factories.user(), Client()
    answers = [log_in(client, user.username, f"wrong{number}") for number in range(5)]
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    locked = client.post(
        "/login/",
        {"username": user.username, "password": factories.PASSWORD},
        headers={"X-Forwarded-For": "198.51.100.7"},
    )
    assert locked.status_code == 429
    assert "registration/locked_out.html" in [template.name for template in locked.templates]
    assert not is_in(client)
    assert log_in(Client(), other.username).status_code == 302, "others are not locked"


def test_four_wrong_ones_are_forgotten_after_a_right_one(settings: Any) -> None:
    settings.AXES_ENABLED = True
    user = factories.user()
    for _ in range(2):
        for number in range(4):
            log_in(Client(), user.username, f"wrong{number}")
        assert log_in(Client(), user.username).status_code == 302


def test_logging_out_needs_a_post_and_ends_the_session() -> None:
    user, client = factories.user(), Client()
    log_in(client, user.username)
    key = client.session.session_key
    assert client.get("/logout/").status_code == 405
    assert is_in(client)
    assert client.post("/logout/").status_code == 302
    assert not is_in(client)
    assert not client.session.exists(key)
    assert AuditRecord.objects.filter(action="session.logout", actor_id=str(user.pk)).exists()


def test_forms_without_a_token_are_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    assert log_in(client, factories.user().username).status_code == 403


@pytest.mark.parametrize("new", ["short", "1234567890123", "password123", "correct horse battery"])
def test_a_weak_password_is_refused(new: str) -> None:
    user, client = factories.user(username="correcthorse"), Client()
    log_in(client, user.username)
    data = {"old_password": "wrong" if new.startswith("correct") else factories.PASSWORD}
    answer = client.post("/password_change/", data | {"new_password1": new, "new_password2": new})
    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.check_password(factories.PASSWORD)


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one() -> None:
    user, here, there = factories.user(), Client(), Client()
    log_in(here, user.username)
    log_in(there, user.username)
    fresh = "another staple Battery 9"
    data = {"old_password": factories.PASSWORD, "new_password1": fresh, "new_password2": fresh}
    assert here.post("/password_change/", data).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert log_in(Client(), user.username, fresh).status_code == 302


@pytest.mark.parametrize(("idle", "stays"), [(-60, True), (60, False)])
def test_an_idle_session_ends(idle: int, stays: bool) -> None:
    user, client = factories.user(), Client()
    log_in(client, user.username)
    is_in(client)
    session = client.session
    session[LAST_SEEN] = int(time.time()) - live_settings.VANTAGE_IDLE_SECONDS - idle
    session.save()
    assert is_in(client) is stays
    assert client.get("/api/v1/cameras").status_code == (200 if stays else 401)


@pytest.mark.parametrize(("code", "word"), [("en", "My desk"), ("zh-hans", "zh-hans")])
def test_the_language_can_be_chosen_and_stays(code: str, word: str) -> None:
    client = Client()
    client.force_login(factories.user())
    assert client.post("/i18n/setlang/", {"language": code, "next": "/"}).status_code == 302
    assert client.cookies["vantage_language"].value == code
    page = client.get("/").content.decode()
    assert f'lang="{code}"' in page
    assert word in page


def test_chinese_is_the_default_and_a_foreign_next_is_not_followed() -> None:
    assert 'lang="zh-hans"' in Client().get("/login/").content.decode()
    answer = Client().post("/i18n/setlang/", {"language": "en", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_pages_without_mail_offer_no_reset() -> None:
    assert Client().get("/password_reset/").status_code == 404
