"""The second factor: set up, asked at every login, once per code, with recovery codes; and the first password."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django_otp.oath import totp

from apps.accounts.models import RecoveryCode, SecondFactor
from apps.accounts.services import factors
from apps.core import clock
from apps.core.models import AuditRecord
from tests.support import factories

pytestmark = pytest.mark.django_db
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin", "operator")


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.VANTAGE_SECOND_FACTOR = "required"


def code_of(secret: str, ahead: int = 0) -> str:
    """What an authenticator shows now."""
    moment = clock.now().timestamp() + ahead * factors.STEP
    return f"{totp(base64.b32decode(secret), t0=0, drift=int(moment // 30) - _step_now()):06d}"


def _step_now() -> int:
    from time import time

    return int(time() // factors.STEP)


def log_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    answer = client.post("/login/", {"username": user.username, "password": factories.PASSWORD})
    assert answer.status_code == 302
    return client


def enrolled(role: str = "operator") -> tuple[Any, str, list[str]]:
    """A person with a second factor: (user, secret, recovery codes)."""
    user = factories.user(roles=(role,))
    secret = factors.begin_enrolment(user=user)
    codes = factors.confirm_enrolment(user=user, code=code_of(secret, -1))
    return user, secret, codes


def give(client: Client, code: str) -> Any:
    return client.post("/accounts/second-factor/", {"code": code})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_an_administrator_without_one_is_led_to_set_it_up_and_reaches_nothing_else(role: str) -> None:
    client = log_in(factories.user(roles=(role,)))
    for path in ("/", "/profile/", "/audit/", "/manage/", "/events/", "/password_change/", "/metrics"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/second-factor/enrol/"), path
    refused = client.get("/api/v1/cameras")
    assert (refused.status_code, refused.json()["code"]) == (403, "enrol_needed")
    assert client.get("/events/", headers={"HX-Request": "true"})["HX-Redirect"].endswith("/enrol/")
    assert client.post("/logout/").status_code == 302


def test_others_are_asked_for_nothing() -> None:
    assert is_in(log_in(factories.user(roles=("event_reviewer",))))


def test_setting_up_shows_a_picture_made_here_and_recovery_codes_once() -> None:
    user = factories.user(roles=("operator",))
    client = log_in(user)
    page = client.get("/accounts/second-factor/enrol/").content.decode()
    secret = re.search(r'<code class="mono">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    assert re.search(r'<path fill="#000" d="(M\d+ \d+h1v1h-1z){200,}" />', page)
    assert "<img" not in page
    assert "http" not in re.search(r"<svg class=\"qr\".*?</svg>", page)[0]
    right = {"code": code_of(secret), "password": factories.PASSWORD}
    for wrong in ({"code": "000000"}, {"password": "wrong"}):
        assert client.post("/accounts/second-factor/enrol/", right | wrong).status_code == 200
        assert not SecondFactor.objects.filter(confirmed_at__isnull=False).exists()
    key = client.cookies["sessionid"].value
    answer = client.post("/accounts/second-factor/enrol/", right)
    codes = re.findall(r"<li>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</li>", answer.content.decode())
    assert len(codes) == len(set(codes)) == 10
    assert client.cookies["sessionid"].value != key
    assert is_in(client)
    assert codes[0] not in client.get("/profile/").content.decode()
    assert AuditRecord.objects.filter(action="second_factor.enrol", actor_id=str(user.pk)).count() == 1


def test_secret_and_codes_are_not_in_the_database() -> None:
    user, secret, codes = enrolled()
    row = SecondFactor.objects.get(user=user)
    assert secret not in row.secret
    digests = set(RecoveryCode.objects.filter(user=user).values_list("digest", flat=True))
    assert len(digests) == 10
    assert not any(code in digests or code.replace("-", "") in digests for code in codes)


def test_it_is_asked_at_every_login_and_the_way_goes_on_where_one_was_going() -> None:
    user, secret, _codes = enrolled()
    client = log_in(user)
    asked = client.get("/events/?q=x")
    assert asked["Location"] == "/accounts/second-factor/"
    assert client.get("/api/v1/cameras").json()["code"] == "second_factor_needed"
    assert client.get("/accounts/second-factor/enrol/").status_code == 302, "no second one beside the first"
    key = client.cookies["sessionid"].value
    answer = give(client, code_of(secret))
    assert (answer.status_code, answer["Location"]) == (302, "/events/?q=x")
    assert client.cookies["sessionid"].value != key
    assert is_in(client)
    assert not is_in(log_in(user)), "another browser is asked again"


def test_a_code_works_once_and_only_now() -> None:
    user, secret, _codes = enrolled()
    start = clock.now() + timedelta(hours=1)
    with time_machine.travel(start, tick=False):
        one, late, early = code_of(secret), code_of(secret, -3), code_of(secret, 3)
        for wrong in (late, early):
            assert not is_in(_after(user, wrong))
        assert is_in(_after(user, one))
        assert not is_in(_after(user, one))


def _after(user: Any, code: str) -> Client:
    client = log_in(user)
    give(client, code)
    return client


def test_five_wrong_codes_stop_even_the_right_one_for_a_quarter_of_an_hour() -> None:
    user, secret, codes = enrolled()
    start = clock.now() + timedelta(hours=1)
    with time_machine.travel(start, tick=False):
        client = log_in(user)
        for _ in range(5):
            give(client, "000001")
        give(client, code_of(secret))
        assert not is_in(client)
        give(client, codes[0])
        assert not is_in(client)
    with time_machine.travel(start + timedelta(minutes=16), tick=False):
        assert is_in(_after(user, code_of(secret)))
    refused = AuditRecord.objects.filter(action="session.second_factor", outcome="refused")
    assert refused.count() == 5


def test_a_recovery_code_opens_once_and_new_ones_void_the_old() -> None:
    user, _secret, codes = enrolled()
    client = _after(user, codes[0].lower())
    assert is_in(client)
    assert not is_in(_after(user, codes[0]))
    page = client.post("/accounts/second-factor/codes/", {"password": factories.PASSWORD}).content.decode()
    fresh = re.findall(r"<li>([A-Z2-7-]{19})</li>", page)
    assert not is_in(_after(user, codes[1]))
    assert is_in(_after(user, fresh[0]))


def test_removing_it_needs_the_password_and_leads_to_a_new_one() -> None:
    user, secret, _codes = enrolled()
    client = _after(user, code_of(secret))
    client.post("/accounts/second-factor/remove/", {"password": "wrong"})
    assert SecondFactor.objects.filter(user=user).exists()
    client.post("/accounts/second-factor/remove/", {"password": factories.PASSWORD})
    assert not SecondFactor.objects.filter(user=user).exists()
    assert client.get("/")["Location"] == "/accounts/second-factor/enrol/"


def test_where_it_is_optional_a_note_asks_and_nobody_is_stopped(settings: Any) -> None:
    settings.VANTAGE_SECOND_FACTOR = "optional"
    note = "Administrators carry a second factor"
    client = log_in(factories.user(roles=("operator",)))
    assert note in client.get("/profile/", headers={"Accept-Language": "en"}).content.decode()
    assert note not in log_in(factories.user()).get("/profile/").content.decode()
    user, _secret, _codes = enrolled()
    assert not is_in(log_in(user)), "who set one up is asked for it"


async def test_a_socket_waits_for_it_too() -> None:
    from asgiref.sync import sync_to_async

    from apps.accounts.middleware import principal_of_session
    from tests.attacks.sockets import session_of

    user = await sync_to_async(factories.user)(roles=("operator",))
    key = await sync_to_async(session_of)(user)
    assert await sync_to_async(principal_of_session)(key, user.pk) is None


def test_a_first_password_is_changed_before_anything_else() -> None:
    user = factories.user(must_change_password=True)
    client = log_in(user)
    assert client.get("/events/")["Location"] == "/password_change/"
    assert client.get("/api/v1/cameras").json()["code"] == "password_needed"
    old = factories.PASSWORD
    for new in (old, "short1A", "onlysmallletters", "A1" * 65):
        data = {"old_password": old, "new_password1": new, "new_password2": new}
        if new != "onlysmallletters":  # sixteen characters are a phrase
            assert client.post("/password_change/", data).status_code == 200, new
    new = "Another staple 9"
    data = {"old_password": old, "new_password1": new, "new_password2": new}
    assert client.post("/password_change/", data).status_code == 302
    assert is_in(client)


def test_wrong_passwords_in_the_forms_lock_the_account_as_at_the_door(settings: Any) -> None:
    settings.AXES_ENABLED = True
    user = factories.user()
    client = log_in(user)
    for _ in range(5):
        client.post("/accounts/second-factor/enrol/", {"code": "123456", "password": "wrong"})
    answer = Client().post("/login/", {"username": user.username, "password": factories.PASSWORD})
    assert answer.status_code == 429
