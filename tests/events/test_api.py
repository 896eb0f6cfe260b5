"""/api/v1/events for four clients, its filters, reviews and refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.core import clock
from apps.events.models import Event, Review
from apps.events.services import attach_to_main
from tests.events import factories as make
from tests.events.four import client_of, four_clients
from tests.support import factories

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/events"


@pytest.mark.parametrize("path", ["", "/occurrences", "/reviews"])
def test_one_event_for_four_clients(path: str) -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = f"{ROOT}/{event.pk}{path}"

    assert four.nobody.get(url).status_code == 401
    assert four.other.get(url).status_code == 404
    assert four.ended.get(url).status_code == 404
    assert four.granted.get(url).status_code == 200
    assert four.manager.get(url).status_code == 200
    assert four.ended.get(url).json()["code"] == "not_found"


def test_the_list_for_four_clients() -> None:
    event = make.event(now=True)
    four = four_clients(event)

    def ids(client: Any) -> list[str]:
        return [row["id"] for row in client.get(ROOT).json()["results"]]

    assert four.nobody.get(ROOT).status_code == 401
    assert ids(four.other) == ids(four.ended) == []
    assert ids(four.granted) == ids(four.manager) == [str(event.pk)]


def test_reviewing_for_four_clients() -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = f"{ROOT}/{event.pk}/reviews"
    data = {"verdict": "confirmed"}

    assert four.nobody.post(url, data, "application/json").status_code in {401, 403}
    assert four.other.post(url, data, "application/json").status_code == 404
    assert four.ended.post(url, data, "application/json").status_code == 404
    assert not Review.objects.exists()
    made = four.granted.post(url, data, "application/json")
    assert made.status_code == 201
    assert (made.json()["source"], made.json()["verdict"]) == ("api", "confirmed")
    again = four.manager.post(url, data, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")


def test_a_verdict_can_be_taken_back() -> None:
    event = make.event(now=True)
    four = four_clients(event)
    made = four.manager.post(
        f"{ROOT}/{event.pk}/reviews", {"verdict": "confirmed"}, "application/json"
    ).json()
    undo = f"{ROOT}/{event.pk}/reviews/{made['id']}/undo"

    assert four.other.post(undo).status_code == 404
    assert four.granted.post(undo).status_code == 409
    with time_machine.travel(clock.now() + timedelta(seconds=11)):
        assert four.manager.post(undo).status_code == 409
    assert four.manager.post(undo).json()["review_state"] == "pending"
    assert four.manager.post(f"{ROOT}/{event.pk}/reviews/{event.pk}/undo").status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"verdict": "perhaps"},
        {"verdict": "false_alarm", "reason": "boredom"},
        {"verdict": "confirmed", "review_state": "confirmed"},
        {"verdict": "confirmed", "reviewer": "somebody"},
    ],
)
def test_wrong_input_changes_nothing(data: dict[str, Any]) -> None:
    event = make.event(now=True)
    four = four_clients(event)

    answer = four.manager.post(f"{ROOT}/{event.pk}/reviews", data, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Review.objects.exists()


def test_a_role_that_does_not_review_is_refused() -> None:
    event = make.event(now=True)
    client = client_of(factories.user(event.camera.managing_organisation, ("maintainer",)))
    answer = client.post(f"{ROOT}/{event.pk}/reviews", {"verdict": "confirmed"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "ability_missing")


def test_filters_pages_and_shape() -> None:
    execution = make.execution()
    events = [make.event(execution, second * 100) for second in range(5)]
    attach_to_main(event_id=events[0].pk, raw=make.raw_event(execution, 1))
    client = client_of(factories.user(execution.camera.managing_organisation))

    first = client.get(ROOT, {"limit": 2}).json()
    assert [row["id"] for row in first["results"]] == [str(events[4].pk), str(events[3].pk)]
    second = client.get(first["next"]).json()
    assert [row["id"] for row in second["results"]] == [str(events[2].pk), str(events[1].pk)]
    since = client.get(ROOT, {"since": events[3].time.isoformat()}).json()["results"]
    assert {row["id"] for row in since} == {str(events[3].pk), str(events[4].pk)}
    row = client.get(f"{ROOT}/{events[0].pk}").json()
    assert (row["occurrences"], row["code"]) == (2, events[0].event_type.code)
    assert row["explanation"]["raw_event"] == str(events[0].raw_event_id)
    assert row["picture"] is None
    assert len(client.get(f"{ROOT}/{events[0].pk}/occurrences").json()) == 1
    assert client.get(f"{ROOT}/{events[0].pk}/picture").status_code == 404
    assert client.get(ROOT, {"level": "huge"}).status_code == 400
    assert client.delete(f"{ROOT}/{events[0].pk}").status_code == 405
    assert client.patch(f"{ROOT}/{events[0].pk}", {"level": "urgent"}, "application/json").status_code == 405
    assert Event.objects.count() == 5
