"""The pages: what they show, and to whom."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.events.signals import event_changed
from apps.openapi.models import ApiKey, App, Delivery, Subscription
from apps.openapi.permissions import find_key
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply


def client_of(user: Any) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def officer(organisation: Any = None, role: str = "developer") -> Client:
    return client_of(factories.user(organisation, (role,)))


@pytest.fixture
def world(outbound_exact: list[str]) -> Any:
    """A bureau with an App, a key, a subscription, a delivery and its event."""
    outbound_exact.append("127.0.0.1:9")
    organisation = factories.organisation()
    app = builders.app(organisation)
    key = builders.key(app).key
    row = builders.subscription(app, "http://127.0.0.1:9/").subscription
    event = builders.event(factories.camera(organisation))
    event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
    delivery = Delivery.objects.get()
    pages = {
        reverse("openapi:app-detail", args=[app.pk]),
        reverse("openapi:subscription-detail", args=[row.pk]),
        reverse("openapi:subscription-edit", args=[row.pk]),
        reverse("openapi:delivery-detail", args=[delivery.pk]),
        reverse("openapi:event-deliveries", args=[event.pk]),
    }
    posts = {
        reverse("openapi:app-state", args=[app.pk]),
        reverse("openapi:key-add", args=[app.pk]),
        reverse("openapi:key-revoke", args=[key.pk]),
        reverse("openapi:key-rotate", args=[key.pk]),
        reverse("openapi:subscription-test", args=[row.pk]),
        reverse("openapi:subscription-rotate", args=[row.pk]),
        reverse("openapi:subscription-state", args=[row.pk]),
        reverse("openapi:subscription-delete", args=[row.pk]),
        reverse("openapi:delivery-resend", args=[delivery.pk]),
    }
    return organisation, app, row, event, delivery, pages, posts


LISTS = ("app-list", "subscription-list", "delivery-list")


@pytest.mark.django_db
def test_pages_answer_the_own_bureau(world: Any) -> None:
    organisation, app, row, _event, delivery, pages, _posts = world
    mine = officer(organisation)
    for url in pages | {reverse(f"openapi:{name}") for name in (*LISTS, "app-add", "subscription-add")}:
        answer = mine.get(url)
        assert answer.status_code == 200, url
        assert "style=" not in answer.content.decode()
        assert not re.search(r"<script(?![^>]*\b(src|type=\"application/json\"))", answer.content.decode()), (
            url
        )
    assert row.name in mine.get(reverse("openapi:subscription-list")).content.decode()
    table = mine.get(reverse("openapi:delivery-list"), headers={"hx-request": "true"}).content.decode()
    assert str(delivery.pk) in table
    assert "<html" not in table


@pytest.mark.django_db
def test_four_clients(world: Any) -> None:
    organisation, app, row, _event, _delivery, pages, posts = world
    for url in pages | posts:
        assert Client().get(url).status_code in {302, 405}
    stranger, colleague = officer(), officer(organisation, "event_reviewer")
    for url in pages:
        assert stranger.get(url).status_code == 404, url
    for url in posts:
        assert stranger.post(url).status_code == 404, url
        assert colleague.post(url, {"scopes": ["events:read"]}).status_code == 403, url
    for name in LISTS:
        text = stranger.get(reverse(f"openapi:{name}")).content.decode()
        assert app.name not in text
        assert str(row.pk) not in text
    assert ApiKey.objects.filter(revoked_at__isnull=True).count() == 1
    assert Subscription.objects.get().state == "active"
    above = factories.organisation()
    child = factories.organisation(above)
    child_app = builders.app(child)
    assert officer(above).get(reverse("openapi:app-detail", args=[child_app.pk])).status_code == 200
    assert officer(child).get(reverse("openapi:app-list")).status_code == 200


@pytest.mark.django_db
def test_a_key_is_shown_once_and_revoked() -> None:
    organisation = factories.organisation()
    mine = officer(organisation)
    mine.post(reverse("openapi:app-add"), {"organisation": organisation.pk, "name": "Drain"})
    app = App.objects.get()
    url = reverse("openapi:app-detail", args=[app.pk])
    made = mine.post(
        reverse("openapi:key-add", args=[app.pk]), {"scopes": ["events:read"], "addresses": "10.0.0.0/8"}
    )
    text = re.search(r"vk_[a-z0-9]{8}_[\w-]{40,}", made.content.decode())[0]  # type: ignore[index]
    assert find_key(text) is not None
    assert "no-store" in made["Cache-Control"]
    assert text not in mine.get(url).content.decode()
    bad = mine.post(
        reverse("openapi:key-add", args=[app.pk]), {"scopes": ["events:read"], "addresses": "everywhere"}
    )
    assert bad.status_code == 400
    key = ApiKey.objects.get()
    assert mine.post(reverse("openapi:key-revoke", args=[key.pk])).status_code == 302
    assert find_key(text) is None


@pytest.mark.django_db
def test_subscribe_by_form_with_the_cause_of_a_refusal(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    organisation = factories.organisation()
    app, camera = builders.app(organisation), factories.camera(organisation)
    mine = officer(organisation)
    form = {
        "app": app.pk, "name": "hook", "endpoint": "http://127.0.0.1:6379/", "kinds": ["raised"],
        "type_scope": "all", "camera_scope": "chosen", "cameras": camera.identities.get().code,
        "condition": '{"attr": "level", "op": "eq", "value": "urgent"}',
    }  # fmt: skip
    url = reverse("openapi:subscription-add")
    refused = mine.post(url, form)
    assert refused.status_code == 400
    assert "not reachable or not permitted" in refused.content.decode()
    assert mine.post(url, {**form, "condition": '{"attr": "x", "op": "eq", "value": 1}'}).status_code == 400
    assert mine.post(url, {**form, "cameras": "nope"}).status_code == 400
    made = mine.post(url, {**form, "endpoint": "http://127.0.0.1:9/"})
    assert "whsec_" in made.content.decode()
    row = Subscription.objects.get()
    assert list(row.cameras.all()) == [camera]
    assert row.all_event_types
    edit = reverse("openapi:subscription-edit", args=[row.pk])
    assert camera.identities.get().code in mine.get(edit).content.decode()
    mine.post(edit, {**form, "endpoint": "http://127.0.0.1:9/", "camera_scope": "all"})
    row.refresh_from_db()
    assert row.all_cameras


@pytest.mark.django_db(transaction=True)
def test_test_button_rotate_state_and_replay(outbound_exact: list[str]) -> None:
    with Receiver(Reply(418, body=b"<b>teapot</b>", headers={"x-secret": "1"})) as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        row = builders.subscription(builders.app(organisation), receiver.url).subscription
        mine = officer(organisation)
        shown = mine.post(
            reverse("openapi:subscription-test", args=[row.pk]), headers={"hx-request": "true"}
        ).content.decode()
        assert "418" in shown
        assert "&lt;b&gt;teapot" in shown
        assert "x-secret" not in shown
        rotated = mine.post(reverse("openapi:subscription-rotate", args=[row.pk]))
        assert "whsec_" in rotated.content.decode()
        mine.post(reverse("openapi:subscription-state", args=[row.pk]), {"state": "paused"})
        row.refresh_from_db()
        assert row.state == "paused"
        builders.event(factories.camera(organisation))
        replay = reverse("openapi:subscription-replay", args=[row.pk])
        span = {"since": "2020-01-01T00:00", "until": "2099-01-01T00:00"}
        assert "Send 1 message" in mine.post(replay, span).content.decode()
        assert mine.post(replay, {**span, "confirm": "1"}).status_code == 302
        assert Delivery.objects.filter(kind="raised", state="queued").count() == 1
        assert (
            mine.post(replay, {"since": "2099-01-01T00:00", "until": "2020-01-01T00:00"}).status_code == 400
        )


@pytest.mark.django_db
def test_bulk_resend_shows_what_it_will_do(world: Any) -> None:
    organisation, _app, row, _event, delivery, _pages, _posts = world
    Delivery.objects.update(state="dead", attempts=8)
    mine = officer(organisation)
    preview = mine.post(reverse("openapi:delivery-resend-preview"), {"selected": [delivery.pk, "x"]})
    assert str(delivery.pk) in preview.content.decode()
    stranger = officer()
    stranger.post(reverse("openapi:delivery-resend-chosen"), {"selected": [delivery.pk]})
    assert Delivery.objects.get().state == "dead"
    mine.post(reverse("openapi:delivery-resend-chosen"), {"selected": [delivery.pk]})
    assert Delivery.objects.get().state == "queued"


@pytest.mark.django_db
def test_the_documentation_is_for_logged_in_people_and_all_ours() -> None:
    url = reverse("api-docs")
    assert Client().get(url).status_code == 302
    page = officer().get(url)
    assert page.status_code == 200
    assert "http://" not in page.content.decode().replace("http://www.w3.org", "")
    script = officer().get(f"{url}?script=")
    assert script["Content-Type"].startswith("application/javascript")
