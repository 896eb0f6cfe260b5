"""The interface of subscriptions and deliveries, and the management command."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import App, Delivery, Service, Subscription
from apps.openapi.permissions import find_key
from apps.openapi.services import sync_services
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply

ENDPOINT = "http://127.0.0.1:9/hook"


class Caller:
    """A client with a key of its own App."""

    def __init__(self, organisation: Any = None) -> None:
        self.organisation = organisation or factories.organisation()
        self.app = builders.app(self.organisation)
        self.key = builders.key(self.app, "subscriptions:read", "subscriptions:write").text

    def __call__(self, verb: str, path: str, body: Any = None) -> Any:
        answer = getattr(Client(), verb)(
            f"/api/v1{path}",
            data=None if body is None else json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.key}"},
        )
        self.status = answer.status_code
        return answer.json() if answer.content else None


@pytest.mark.django_db
def test_create_change_pause_resume_delete(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    caller = Caller()
    kind, camera = factories.event_type(), factories.camera(caller.organisation)
    made = caller(
        "post",
        "/subscriptions",
        {"name": "a", "endpoint": ENDPOINT, "event_types": [kind.code], "cameras": [str(camera.pk)]},
    )
    assert caller.status == 201
    assert made["secret"].startswith("whsec_")
    assert (made["event_types"], made["cameras"]) == ([kind.code], [str(camera.pk)])
    shown = caller("get", f"/subscriptions/{made['id']}")
    assert "secret" not in json.dumps(shown)
    changed = caller("patch", f"/subscriptions/{made['id']}", {"cameras": None, "event_types": []})
    assert (changed["event_types"], changed["cameras"]) == ([], None)
    assert caller("post", f"/subscriptions/{made['id']}/pause")["state"] == "paused"
    assert caller("post", f"/subscriptions/{made['id']}/resume")["state"] == "active"
    caller("delete", f"/subscriptions/{made['id']}")
    assert caller.status == 204
    assert not Subscription.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kinds": ["exploded"]}, "invalid"),
        ({"kinds": []}, "invalid"),
        ({"condition": {"attr": "password", "op": "eq", "value": 1}}, "condition_invalid"),
        ({"event_types": ["nope"]}, "unknown_reference"),
        ({"cameras": ["0198c0de-0000-7000-8000-000000000000"]}, "unknown_reference"),
        ({"endpoint": "http://10.0.0.1/"}, "endpoint_refused"),
        ({"name": " "}, "invalid"),
        ({"app": "0198c0de-0000-7000-8000-000000000000"}, "not_found"),
    ],
)
def test_refusals_change_nothing(outbound_exact: list[str], change: dict[str, Any], code: str) -> None:
    outbound_exact.append("127.0.0.1:9")
    caller = Caller()
    body = caller("post", "/subscriptions", {"name": "a", "endpoint": ENDPOINT, **change})
    assert body["code"] == code
    assert not Subscription.objects.exists()


@pytest.mark.django_db
def test_a_camera_of_another_bureau_cannot_be_chosen(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    caller = Caller()
    body = {"name": "a", "endpoint": ENDPOINT, "cameras": [str(factories.camera().pk)]}
    caller("post", "/subscriptions", body)
    assert caller.status == 400


@pytest.mark.django_db(transaction=True)
def test_log_resend_explain_and_replay(outbound_exact: list[str]) -> None:
    with Receiver(Reply(500, body=b"no"), 204) as receiver:
        outbound_exact.append(receiver.address)
        caller = Caller()
        camera = factories.camera(caller.organisation)
        early = builders.event(camera, time=clock.now() - timedelta(hours=2))
        made = caller("post", "/subscriptions", {"name": "a", "endpoint": receiver.url})
        event = builders.event(camera)
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
        builders.deliver()
        (row,) = caller("get", f"/deliveries?event={event.pk}")["results"]
        detail = caller("get", f"/deliveries/{row['id']}")
        assert (detail["state"], detail["tries"][0]["status"], detail["tries"][0]["answer"]) == (
            "retrying",
            500,
            "no",
        )
        stages = caller("get", f"/subscriptions/{made['id']}/explain?event={event.pk}")
        assert stages[-1]["code"] == "delivered"
        assert stages[-1]["passed"] is False
        assert caller("post", f"/deliveries/{row['id']}/resend")["state"] == "queued"
        builders.deliver()
        assert len(set(receiver.messages)) == 1
        assert caller("get", f"/deliveries/{row['id']}")["state"] == "delivered"

        missing = caller("get", f"/subscriptions/{made['id']}/explain?event={early.pk}")[-1]
        assert (missing["code"], missing["passed"]) == ("queued", False)
        span = {"since": (clock.now() - timedelta(days=1)).isoformat(), "until": clock.now().isoformat()}
        preview = caller("post", f"/subscriptions/{made['id']}/replay", {**span, "preview": True})
        assert preview == {"again": 0, "missing": 1, "preview": True}
        assert Delivery.objects.count() == 1
        caller("post", f"/subscriptions/{made['id']}/replay", span)
        builders.deliver()
        assert len(set(receiver.messages)) == 2
        again = caller("post", f"/subscriptions/{made['id']}/replay", {**span, "with_delivered": True})
        assert (again["again"], again["missing"]) == (2, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({}, "queued"),
        ({"cameras": []}, "camera"),
        ({"event_types": []}, "event_type"),
        ({"condition": {"attr": "score", "op": "gt", "value": 2}}, "condition"),
        ({"only_reviewed": True}, "review"),
    ],
)
def test_the_doctor_names_the_gate(outbound_exact: list[str], change: dict[str, Any], stage: str) -> None:
    outbound_exact.append("127.0.0.1:9")
    caller = Caller()
    event = builders.event(factories.camera(caller.organisation))
    made = caller("post", "/subscriptions", {"name": "a", "endpoint": ENDPOINT, **change})
    stages = caller("get", f"/subscriptions/{made['id']}/explain?event={event.pk}")
    assert [one["code"] for one in stages if not one["passed"]] == [stage]


@pytest.mark.django_db
def test_a_person_manages_by_role_and_names_the_app(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    organisation = factories.organisation()
    app = builders.app(organisation)
    body = {"app": str(app.pk), "name": "a", "endpoint": ENDPOINT}
    for role, status in (("developer", 201), ("event_reviewer", 403)):
        client = Client()
        client.force_login(factories.user(organisation, (role,)))
        answer = client.post("/api/v1/subscriptions", data=body, content_type="application/json")
        assert answer.status_code == status
    stranger = Client()
    stranger.force_login(factories.user(None, ("developer",)))
    assert (
        stranger.post("/api/v1/subscriptions", data=body, content_type="application/json").status_code == 404
    )


@pytest.mark.django_db
def test_the_command_prints_one_json_object() -> None:
    organisation = factories.organisation(code="water")
    out = StringIO()
    call_command(
        "create_api_key",
        app="Drain",
        organisation="water",
        scopes="events:read,cameras:read",
        json=True,
        stdout=out,
    )
    facts = json.loads(out.getvalue())
    key = find_key(facts["key"])
    assert key is not None
    assert (key.app, key.scopes) == (
        App.objects.get(organisation=organisation),
        ["cameras:read", "events:read"],
    )
    call_command("create_api_key", app="Drain", organisation="water", scopes="all", stdout=StringIO())
    assert App.objects.count() == 1
    for wrong in ({"organisation": "none", "scopes": "all"}, {"organisation": "water", "scopes": "root"}):
        with pytest.raises(CommandError):
            call_command("create_api_key", app="Drain", stdout=StringIO(), **wrong)


@pytest.mark.django_db
def test_the_catalogue_follows_the_scopes_and_keeps_states() -> None:
    sync_services()
    Service.objects.filter(code="events:read").update(state="off_line")
    Service.objects.filter(code="events:write").delete()
    assert sync_services() == 1
    assert Service.objects.get(code="events:read").state == "off_line"
