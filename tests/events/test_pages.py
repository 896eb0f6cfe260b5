"""The pages of events: who gets them, what they show, what the workbench answers."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.models import AuditRecord
from apps.events.models import Event, EventLock, Review
from apps.events.services import attach_to_main, lock_event
from apps.strategies.services import run_pending
from tests.events import factories as make
from tests.events.four import Four, client_of, four_clients
from tests.support import factories

pytestmark = pytest.mark.django_db

ONE_EVENT = ("event-detail", "event-row", "workbench-panel")
LISTS = ("live", "event-list", "event-export", "workbench", "workbench-queue")


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode())


@pytest.mark.parametrize("name", ONE_EVENT)
def test_one_event_for_four_clients(name: str) -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = reverse(f"events:{name}", args=[event.pk])

    assert four.nobody.get(url).status_code == 302
    assert four.other.get(url).status_code == 404
    assert four.ended.get(url).status_code == 404
    assert four.granted.get(url).status_code == 200
    assert four.manager.get(url).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_lists_for_four_clients(name: str) -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = reverse(f"events:{name}")
    mark = str(event.pk)

    assert four.nobody.get(url).status_code == 302
    assert mark not in body(four.other.get(url))
    assert mark not in body(four.ended.get(url))
    assert mark in body(four.granted.get(url))
    assert mark in body(four.manager.get(url))


@pytest.mark.parametrize("name", ["event-decide", "event-lock", "event-review"])
def test_changing_for_four_clients(name: str) -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = reverse(f"events:{name}", args=[event.pk])
    data = {"verdict": "confirmed"}

    assert four.nobody.post(url, data).status_code == 302
    assert four.other.post(url, data).status_code == 404
    assert four.ended.post(url, data).status_code == 404
    assert not Review.objects.exists()
    assert not EventLock.objects.exists()
    assert four.granted.post(url, data).status_code in {200, 204, 302}
    assert Review.objects.count() + EventLock.objects.count() == 1


def test_the_detail_tells_the_whole_decision() -> None:
    from tests.strategies import factories as strategies

    strategies.everywhere(name="夜间策略")
    execution = make.execution()
    make.unit(execution, execution.camera.managing_organisation, requisition_reference="2026-0147")
    from apps.events.services import record_raw_events

    record_raw_events([make.hit(execution), make.hit(execution, 1)])
    run_pending()
    event = Event.objects.get()
    client = client_of(factories.user(execution.camera.managing_organisation))

    page = body(client.get(reverse("events:event-detail", args=[event.pk])))

    for word in (execution.package.fingerprint[:16], "夜间策略", "2026-0147", "object.left"):
        assert word in page
    trace = body(client.get(reverse("strategies:event-trace", args=[event.raw_event_id])))
    assert "event-out@1" in trace
    assert reverse("strategies:event-trace", args=[event.raw_event_id]) in page


def test_the_library_filters_by_the_url() -> None:
    camera = factories.camera(name="南门")
    urgent = factories.algorithm_version(kind=factories.event_type(level="urgent"))
    general = make.event(make.execution(camera), 0)
    alarm = make.event(make.execution(camera, version=urgent), 3600)
    client = client_of(factories.user(camera.managing_organisation))

    def found(**query: str) -> set[Any]:
        page = body(client.get(reverse("events:event-list"), query))
        return {event.pk for event in (general, alarm) if f'data-id="{event.pk}"' in page}

    both = {general.pk, alarm.pk}
    assert found() == both
    assert found(level="urgent") == {alarm.pk}
    assert found(type=general.event_type.code) == {general.pk}
    assert found(q="南门") == both
    assert found(q="北门") == set()
    assert found(state="pending") == both
    assert found(state="confirmed") == set()
    assert found(since="2026-03-02T12:30") == {alarm.pk}
    assert found(until="2026-03-02T12:30") == {general.pk}
    assert found(camera=str(camera.pk)) == both
    assert found(type="no-such-type") == both  # the form names what it could not read


def test_the_export_is_harmless_in_a_spreadsheet_and_audited() -> None:
    camera = factories.camera(name='=HYPERLINK("http://x")')
    event = make.event(make.execution(camera))
    Event.objects.filter(pk=event.pk).update(address=" @cmd")
    client = client_of(factories.user(camera.managing_organisation))

    response = client.get(reverse("events:event-export"), {"q": "HYPERLINK"})

    text = body(response)
    assert text.startswith("\ufeff")
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert row["id"] == str(event.pk)
    assert row["camera"] == '\'=HYPERLINK("http://x")'
    assert row["address"] == "' @cmd"
    assert "attachment" in response["Content-Disposition"]
    detail = AuditRecord.objects.get(action="event.export").detail
    assert (detail["filters"], detail["rows"], detail["purpose"]) == ("q=HYPERLINK", 1, "event")


def workbench_of(event: Event) -> Client:
    return client_of(factories.user(event.camera.managing_organisation, ("event_reviewer",)))


def test_the_workbench_by_its_answers() -> None:
    event = make.event(now=True)
    client = workbench_of(event)
    page = body(client.get(reverse("events:workbench")))
    decide = reverse("events:event-decide", args=[event.pk])
    assert f'data-decide-url="{decide}"' in page

    assert client.post(reverse("events:event-lock", args=[event.pk])).status_code == 204
    answer = client.post(decide, {"verdict": "false_alarm", "reason": "shadow"}).json()
    assert (answer["seconds"], answer["done"], answer["left"]) == (10.0, 1, 0)
    undone = client.post(answer["undo_url"])
    assert undone.json() == {"event": str(event.pk), "state": "pending"}
    skipped = client.post(decide, {"verdict": "skipped"}).json()
    assert "undo_url" not in skipped
    assert (skipped["done"], skipped["left"]) == (0, 1)
    assert client.post(decide, {"verdict": "nonsense"}).status_code == 400


def test_an_event_open_elsewhere_answers_409_and_names_its_holder() -> None:
    event = make.event(now=True)
    holder = factories.principal(event.camera.managing_organisation, ("event_reviewer",))
    lock_event(principal=holder, event_id=event.pk)
    client = workbench_of(event)

    for name in ("event-lock", "event-decide"):
        answer = client.post(reverse(f"events:{name}", args=[event.pk]), {"verdict": "confirmed"})
        assert answer.status_code == 409
        assert holder.name in answer.json()["detail"]
    assert str(event.pk) not in body(client.get(reverse("events:workbench")))


def test_only_reviewers_open_the_workbench() -> None:
    client = client_of(factories.user(roles=("maintainer",)))
    assert client.get(reverse("events:workbench")).status_code == 403


def test_pages_without_anything_offer_the_next_step() -> None:
    client = client_of(factories.user(roles=("event_reviewer",)))
    for name in ("live", "event-list", "workbench"):
        assert client.get(reverse(f"events:{name}")).status_code == 200


def test_no_page_breaks_the_content_policy() -> None:
    event = make.event(now=True)
    attach_to_main(event_id=event.pk, raw=make.raw_event(seconds=1))
    four = four_clients(event)
    for name in (*LISTS, *ONE_EVENT):
        if name == "event-export":
            continue
        page = body(four.manager.get(reverse(f"events:{name}", args=[event.pk] if name in ONE_EVENT else [])))
        assert " style=" not in page
        assert " onclick=" not in page


def test_the_camera_pages_part() -> None:
    event = make.event(now=True)
    four: Four = four_clients(event)
    url = reverse("events:camera-events", args=[event.camera_id])
    assert four.nobody.get(url).status_code == 302
    assert four.other.get(url).status_code == 404
    assert str(event.pk) in body(four.manager.get(url))


def test_languages() -> None:
    event = make.event(now=True)
    four = four_clients(event)
    url = reverse("events:event-detail", args=[event.pk])
    english = body(four.manager.get(url, headers={"Accept-Language": "en"}))
    assert "How this was decided" in english
    assert event.event_type.name_en in english
