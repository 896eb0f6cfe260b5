"""S47: only a big screen can be framed, and only by the sites that the person's own organisation named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organisation
from apps.core.framing import MOST_ORIGINS, is_origin
from apps.core.models import AuditRecord
from tests.attacks.test_s47_framing import PATHS
from tests.support import factories

SITES = ["https://portal.example.gov.cn", "https://wall.example.gov.cn:8443"]
FRAMED = "/overview/"
GOOD = (*SITES, "https://a", "https://10.1.2.3:8443", "https://xn--fiq228c.example", "https://a-b.c1:65535")
BAD = (
    "", "*", "https://*", "https://*.example.cn", "http://portal.example.cn", "https://", "https://a/", "https://a/b",
    "https://a?x=1", "https://a#x", "https://u:p@a", "https://a b", "https://a;script-src *", "https://a,https://b",
    "https://a\n", "https://a\r\nX: y", "'self'", "'none'", "data:", "blob:", "https:", "//a", "a.example.cn",
    "https://a:0", "https://a:65536", "https://a:99999999", "HTTPS://a", "https://Ａ", "https://-a", "https://a-",
    "https://a..b", "https://" + "a" * 64, "javascript:alert(1)", " https://a",
)  # fmt: skip


def client_of(organisation: Organisation, **fields: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(factories.user(organisation, **fields))
    return client


def policy(answer: Any) -> str:
    """The directive `frame-ancestors` of an answer, without its name."""
    parts = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
    [found] = [part for part in parts if part.startswith("frame-ancestors ")]
    return str(found.removeprefix("frame-ancestors "))


def is_closed(answer: Any) -> bool:
    return policy(answer) == "'none'" and answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("text", GOOD)
def test_s47_what_is_a_site(text: str) -> None:
    assert is_origin(text)


@pytest.mark.parametrize("text", BAD)
def test_s47_what_is_no_site(text: str) -> None:
    assert not is_origin(text)


@pytest.mark.django_db
def test_s47_a_named_site_frames_the_big_screen_and_nothing_else() -> None:
    client = client_of(factories.organisation(framing_origins=SITES))
    answer = client.get(FRAMED)
    assert policy(answer) == " ".join(SITES)
    assert "X-Frame-Options" not in answer.headers, (
        "it knows no list, and would forbid what the policy allows"
    )
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"], "the rest of the policy stays"
    for path in PATHS:
        assert path == FRAMED or is_closed(client.get(path)), path
    for path in ("/profile/", "/password_change/", "/events/workbench/", "/events/", "/openapi/apps/"):
        assert is_closed(client.get(path)), path


@pytest.mark.django_db
def test_s47_the_list_is_the_organisations_own() -> None:
    named = factories.organisation(framing_origins=SITES)
    child, other = factories.organisation(named), factories.organisation()
    assert is_closed(client_of(other).get(FRAMED))
    assert is_closed(client_of(child).get(FRAMED)), "nothing is inherited"
    below = factories.organisation(other, framing_origins=SITES)
    assert is_closed(client_of(other).get(FRAMED))
    assert policy(client_of(below).get(FRAMED)) == " ".join(SITES)


@pytest.mark.django_db
def test_s47_nobody_and_a_person_before_a_step_are_never_framed() -> None:
    home = factories.organisation(framing_origins=SITES)
    answer = Client().get(FRAMED)
    assert answer.status_code == 302
    assert is_closed(answer)
    assert is_closed(Client().get("/login/"))
    first = client_of(home, must_change_password=True).get(FRAMED)
    assert first.status_code == 302
    assert is_closed(first)


@pytest.mark.django_db
@pytest.mark.parametrize("text", [one for one in BAD if one])
def test_s47_what_is_no_site_is_not_stored_and_opens_nothing_where_it_is(text: str) -> None:
    home = factories.organisation()
    home.framing_origins = [text]
    with pytest.raises(ValidationError):
        home.full_clean()
    Organisation.objects.filter(pk=home.pk).update(framing_origins=[text])
    assert is_closed(client_of(home).get(FRAMED))
    Organisation.objects.filter(pk=home.pk).update(framing_origins=[text, SITES[0]])
    assert policy(client_of(home).get(FRAMED)) == SITES[0]


@pytest.mark.django_db
def test_s47_the_list_is_bounded() -> None:
    home = factories.organisation(
        framing_origins=[f"https://a{number}" for number in range(MOST_ORIGINS + 5)]
    )
    with pytest.raises(ValidationError):
        home.full_clean()
    assert len(policy(client_of(home).get(FRAMED)).split()) == MOST_ORIGINS


@pytest.mark.django_db
def test_s47_an_administrator_names_the_sites_and_it_is_in_the_trail() -> None:
    home = factories.organisation()
    url = reverse("admin:accounts_organisation_change", args=[home.pk])
    data = {"name": home.name, "code": home.code, "kind": home.kind, "treebeard_position": "first-child"}
    data |= {"_position": "sorted-child", "_ref_node_id": ""}
    for role in ("operator", "security_admin", "audit_admin", "bureau_approver"):
        client_of(home, roles=(role,)).post(url, data | {"framing_origins": SITES[0]})
        home.refresh_from_db()
        assert home.framing_origins == [], role
    admin = client_of(home, roles=("system_admin",))
    page = admin.get(url)
    assert b"framing_origins" in page.content
    data |= {
        name: value for name, value in page.context["adminform"].form.initial.items() if name.startswith("_")
    }
    refused = admin.post(url, data | {"framing_origins": "http://plain.example"})
    assert refused.status_code == 200
    assert "framing_origins" in refused.context["adminform"].form.errors
    assert admin.post(url, data | {"framing_origins": ",".join(SITES)}).status_code == 302
    home.refresh_from_db()
    assert home.framing_origins == SITES
    record = AuditRecord.objects.get(action="organisation.framing")
    assert (record.object_id, record.owner_id) == (str(home.pk), str(home.pk))
    assert record.detail["origins"] == SITES


@pytest.mark.django_db
def test_s47_no_cookie_goes_to_another_site_for_a_frame() -> None:
    """A frame of another registrable domain sends no Lax cookie: the person is nobody there, and nobody is closed."""
    user = factories.user(factories.organisation(framing_origins=SITES))
    client = Client()
    client.post("/login/", {"username": user.username, "password": factories.PASSWORD})
    assert policy(client.get(FRAMED)) == " ".join(SITES)
    cookies = {name: client.cookies[name]["samesite"] for name in ("sessionid", "csrftoken")}
    assert cookies == {"sessionid": "Lax", "csrftoken": "Lax"}
