"""From an event to a verified, signed message at a real receiver."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from jsonschema import validate

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery, Subscription
from apps.openapi.services import message_id, rotate_secret
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def tell(event: Any, kind: str = "raised") -> None:
    event_changed.send(sender=type(event), event=event, kind=kind, phase="new")


def scene(endpoint: str, **fields: Any) -> Any:
    """A bureau with a camera, an App and a subscription."""
    organisation = factories.organisation()
    made = builders.subscription(builders.app(organisation), endpoint, **fields)
    return made, factories.camera(organisation)


def test_an_event_arrives_signed_once_as_cloud_event(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        made, camera = scene(receiver.url)
        event = builders.event(camera)
        tell(event)
        tell(event)  # the same news twice is one message
        assert builders.deliver() == 1
        assert builders.deliver() == 0
    (visit,) = receiver.visits
    document = visit.verified(made.secret)
    assert visit.headers["content-type"].startswith("application/cloudevents+json")
    assert document["id"] == visit.message == str(message_id(event, "raised")[0])
    assert document["type"] == f"cn.vantage.event.{event.event_type.code}.raised"
    assert document["source"] == "/vantage/city"
    assert document["subject"] == document["partitionkey"] == str(camera.pk)
    assert document["data"]["camera"]["code"].startswith("SELF-")
    assert document["data"]["targets"] == event.targets
    validate(document, ENVELOPE)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert Attempt.objects.get().status == 204


ENVELOPE = {
    "required": ["specversion", "id", "source", "type", "subject", "time", "recordedtime", "partitionkey", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "traceparent": {"pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"},
        "time": {"pattern": "Z$"},
        "data": {
            "required": [
                "event", "phase", "main_event", "occurrences", "first_seen", "last_seen", "reported_at", "expires_at",
                "level", "code", "parent_code", "name", "code_maps", "camera", "task", "algorithm", "strategy",
                "targets", "images", "clip", "review", "handling",
            ],
            "additionalProperties": True,
        },
    },
}  # fmt: skip


def test_another_bureau_hears_nothing(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        scene(receiver.url)
        tell(builders.event())
    assert not Delivery.objects.exists()


def test_a_right_that_ended_before_sending_stops_the_message(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        _made, camera = scene(receiver.url)
        tell(builders.event(camera))
        camera.managing_organisation = factories.organisation()
        camera.save()
        builders.deliver()
    assert receiver.visits == []
    assert Delivery.objects.get().last_error == "not_visible"


@pytest.mark.parametrize(
    ("policy", "only_reviewed", "state", "kind", "sent"),
    [
        ("direct", False, "not_required", "raised", ["raised"]),
        ("sampled", False, "pending", "raised", ["raised"]),
        ("direct", True, "not_required", "raised", []),
        ("review_first", False, "pending", "raised", []),
        ("review_first", False, "pending", "updated", []),
        ("review_first", False, "confirmed", "reviewed", ["raised", "reviewed"]),
        ("review_first", False, "false_alarm", "reviewed", []),
        ("review_first", False, "expired", "ended", []),
        ("review_first", False, "confirmed", "ended", ["ended"]),
        ("direct", True, "confirmed", "reviewed", ["raised", "reviewed"]),
        ("direct", False, "false_alarm", "reviewed", ["reviewed"]),
        ("direct", False, "confirmed", "reviewed", ["reviewed"]),
        ("direct", False, "not_required", "handled", []),
    ],
)
def test_the_review_policy_decides_what_leaves(
    outbound_exact: list[str], policy: str, only_reviewed: bool, state: str, kind: str, sent: list[str]
) -> None:
    outbound_exact.append("127.0.0.1:9")
    _made, camera = scene("http://127.0.0.1:9/", only_reviewed=only_reviewed)
    reviewed_at = clock.now() - timedelta(seconds=11) if kind == "reviewed" else None
    event = builders.event(camera, policy=policy, review_state=state, reviewed_at=reviewed_at)
    tell(event, kind)
    assert sorted(Delivery.objects.values_list("kind", flat=True)) == sent


@pytest.mark.parametrize(
    ("filters", "heard"),
    [
        ({}, True),
        ({"condition": {"attr": "score", "op": "gte", "value": 0.9}}, True),
        ({"condition": {"attr": "labels", "op": "contains", "value": "person"}}, False),
        ({"cameras": []}, False),
        ({"event_types": []}, False),
        ({"kinds": ["ended"]}, False),
    ],
)
def test_filters(outbound_exact: list[str], filters: dict[str, Any], heard: bool) -> None:
    outbound_exact.append("127.0.0.1:9")
    _made, camera = scene("http://127.0.0.1:9/", **filters)
    tell(builders.event(camera))
    assert Delivery.objects.exists() is heard


def test_a_parent_type_hears_its_children(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    parent = factories.event_type()
    child = factories.event_type(parent=parent, review_policy="direct")
    _made, camera = scene("http://127.0.0.1:9/", event_types=[parent])
    tell(builders.event(camera, event_type=child))
    assert Delivery.objects.count() == 1


def test_f20_two_signatures_for_24_hours(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        made, camera = scene(receiver.url)
        new = rotate_secret(by=builders.SYSTEM, subscription=made.subscription)
        tell(builders.event(camera))
        builders.deliver()
        assert receiver.visits[0].verified(made.secret) == receiver.visits[0].verified(new)
        with time_machine.travel(clock.now() + timedelta(hours=25)):
            tell(builders.event(camera))
            builders.deliver()
            assert len(receiver.visits[1].headers["webhook-signature"].split()) == 1
            receiver.visits[1].verified(new)


def test_f18_gone_disables_and_tells_the_owner(outbound_exact: list[str]) -> None:
    with Receiver(410) as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        owner = factories.user(organisation, ("developer",))
        app = builders.app(organisation)
        app.created_by = owner
        app.save()
        builders.subscription(app, receiver.url)
        tell(builders.event(factories.camera(organisation)))
        builders.deliver()
        row = Subscription.objects.get()
        assert (row.state, row.state_reason) == ("disabled", "gone")
        assert Delivery.objects.get().state == "dead"
        assert owner.notifications.count() == 1
        tell(builders.event(factories.camera(organisation)))
        assert builders.deliver() == 0


@pytest.mark.parametrize(
    ("status", "asked", "seconds"), [(429, "120", 120), (503, "30", 30), (429, "99999", 3600), (502, "", 60)]
)
def test_f18_throttled_endpoints_are_left_alone(
    outbound_exact: list[str], status: int, asked: str, seconds: int
) -> None:
    with Receiver(Reply(status, headers={"retry-after": asked} if asked else {}), 204) as receiver:
        outbound_exact.append(receiver.address)
        _made, camera = scene(receiver.url)
        tell(builders.event(camera))
        started = clock.now()
        builders.deliver()
        with time_machine.travel(started + timedelta(seconds=seconds - 2)):
            assert builders.deliver() == 0
        with time_machine.travel(started + timedelta(seconds=seconds + 8)):
            assert builders.deliver() == 1
    assert Delivery.objects.get().state == "delivered"


def test_f17_only_five_days_of_nothing_but_failures_disable(outbound_exact: list[str]) -> None:
    with Receiver(500, 204, 500) as receiver:
        outbound_exact.append(receiver.address)
        _made, camera = scene(receiver.url)
        start = clock.now()
        tell(builders.event(camera))
        builders.deliver()  # fails
        with time_machine.travel(start + timedelta(days=4)):
            builders.deliver()  # succeeds
        with time_machine.travel(start + timedelta(days=6)):
            tell(builders.event(camera))
            builders.deliver()  # fails anew
            assert Subscription.objects.get().state == "active"
        with time_machine.travel(start + timedelta(days=11, hours=1)):
            builders.deliver()
    assert Subscription.objects.get().state == "disabled"


def test_f19_a_dead_endpoint_does_not_starve_the_others(outbound_exact: list[str]) -> None:
    with Receiver(204) as healthy:
        outbound_exact += [healthy.address, "127.0.0.1:9"]
        organisation = factories.organisation()
        dead = builders.subscription(builders.app(organisation), "http://127.0.0.1:9/").subscription
        camera = factories.camera(organisation)
        event = builders.event(camera)
        now = clock.now()
        Delivery.objects.bulk_create(
            Delivery(
                id=builders.uuid7(), subscription=dead, message=builders.uuid7(), kind="raised",
                event_id=event.pk, due_at=now - timedelta(hours=1),
            )
            for _number in range(2000)
        )  # fmt: skip
        builders.subscription(builders.app(organisation), healthy.url)
        tell(event)
        attempts = builders.deliver()
    assert len(healthy.visits) == 1
    assert attempts < 40, "the breaker leaves the dead endpoint alone"


def test_the_answer_is_cut_cleaned_and_only_kept_for_named_hosts(
    outbound_exact: list[str], settings: Any
) -> None:
    reply = Reply(500, body=b"\x1b[31msecret\x00" + "é".encode() * 2000)
    with Receiver(reply) as receiver:
        outbound_exact.append(receiver.address)
        _made, camera = scene(receiver.url)
        tell(builders.event(camera))
        builders.deliver()
    answer = Attempt.objects.get().answer
    assert answer.startswith("[31msecretéé")
    assert len(answer) <= 1024
    assert json.dumps(answer)


def test_picture_links_live_seven_days_and_ask_for_the_right(outbound_exact: list[str]) -> None:
    from apps.devices.models import Capture
    from apps.devices.services import open_media

    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        made, camera = scene(receiver.url)
        capture = Capture.objects.create(camera=camera, time=clock.now(), path="frames/x.jpg")
        tell(builders.event(camera, capture_id=capture.pk))
        builders.deliver()
    images = receiver.visits[0].document["data"]["images"]
    assert [image["kind"] for image in images] == ["frame", "annotated", "crop"]
    tokens = [image["url"].rpartition("/")[2] for image in images]
    assert all(open_media(token, None) is not None for token in tokens)
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert open_media(tokens[0], None) is None
    camera.managing_organisation = factories.organisation()
    camera.save()
    assert open_media(tokens[0], None) is None
    camera.managing_organisation = made.subscription.app.organisation
    camera.save()
    made.subscription.delete()
    assert open_media(tokens[0], None) is None
