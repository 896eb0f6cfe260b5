"""A picture of an event is seen by a `subscribe` grant only while that grant, and its link to the type, are sound."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.accounts.models import Grant, Notification
from apps.accounts.permissions import principal_of_user
from apps.algorithms.models import EventTypeGrant
from apps.core import clock, sealing
from apps.core.ids import key_id, uuid7
from apps.core.models import AuditRecord
from apps.core.realtime.topics import hearing_of
from apps.devices.models import Camera, CameraAccess, Capture
from apps.devices.services.media import media_url, open_media
from apps.events.models import Event, EventAudience, EventOccurrence
from tests.events import factories as events
from tests.support import factories
from tests.support.looking import chain_notes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _untold() -> None:
    sealing._told.clear()


def _pictured(camera: Camera) -> tuple[Event, EventOccurrence]:
    """An event with a repeat, both with a picture."""
    event = events.event(events.execution(camera), now=True)
    capture = Capture.objects.create(
        id=key_id(event.time, "capture", event.pk), camera=camera, time=event.time, path="frames/x.jpg"
    )
    Event.objects.filter(pk=event.pk).update(capture_id=capture.pk)
    event.refresh_from_db()
    repeat = EventOccurrence.objects.create(
        event=event, time=event.time, targets=event.targets, capture_id=capture.pk
    )
    return event, repeat


def _sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def _opens(principal: Any, kind: str, identifier: UUID) -> bool:
    token = media_url(kind, identifier, principal).rpartition("/")[2]
    return open_media(token, principal) is not None


def _subscriber(event: Event) -> tuple[Any, Grant]:
    """Somebody of another bureau with a sound grant on this camera and type."""
    grantee = factories.organisation()
    grant = factories.grant_access(event.camera, grantee, ("subscribe",)).grant
    EventTypeGrant.objects.create(grant=grant, event_type=event.event_type)
    return principal_of_user(factories.user(grantee)), grant


TAMPERED = {
    "longer": "UPDATE accounts_grant SET valid_to = valid_to + interval '1 year'",
    "more": "UPDATE accounts_grant SET actions = array_append(actions, 'unmasked')",
    "without hash": "UPDATE accounts_grant SET mac = ''",
    "another's hash": "UPDATE accounts_grant SET mac = replace(mac, left(split_part(mac, ':', 2), 4), 'zzzz')",
}


@pytest.mark.parametrize("way", TAMPERED)
@pytest.mark.parametrize("kind", ["event", "occurrence"])
def test_a_changed_grant_shows_no_picture_and_nothing_else_and_raises_an_alarm(way: str, kind: str) -> None:
    watcher = factories.user(roles=("security_admin",))
    event, repeat = _pictured(factories.camera())
    shown = event.pk if kind == "event" else repeat.pk
    principal, grant = _subscriber(event)
    assert _opens(principal, kind, shown)
    _sql(TAMPERED[way])
    assert not _opens(principal, kind, shown)
    chain_notes()
    assert AuditRecord.objects.filter(action="seal.broken", object_id=str(grant.pk)).count() == 1
    assert Notification.objects.filter(user=watcher, kind="seal.broken").count() == 1
    assert not CameraAccess.objects.filter(grant=grant).exists(), "what it gave goes for every page at once"
    assert not Event.objects.visible_to(principal).exists()


def test_a_grant_changed_past_the_product_is_not_heard_live() -> None:
    event, _repeat = _pictured(factories.camera())
    principal, _grant = _subscriber(event)
    topic = f"s:{event.camera_id}:{event.event_type_id}"
    assert topic in hearing_of(principal).topics
    _sql(TAMPERED["more"])
    assert topic not in hearing_of(principal).topics


@pytest.mark.parametrize("kind", ["event", "occurrence"])
def test_access_made_in_sql_on_another_camera_shows_no_picture(kind: str) -> None:
    event, _repeat = _pictured(factories.camera())
    other, other_repeat = _pictured(factories.camera())
    principal, grant = _subscriber(event)
    EventTypeGrant.objects.create(grant=grant, event_type=other.event_type)
    _sql(
        "INSERT INTO devices_cameraaccess (id, principal_id, camera_id, action, grant_id, valid_from, valid_to, "
        "history_from) SELECT %s, principal_id, %s, action, grant_id, valid_from, valid_to, history_from "
        "FROM devices_cameraaccess",
        uuid7(),
        other.camera_id,
    )
    assert _opens(principal, "event", event.pk)
    assert not _opens(principal, kind, other.pk if kind == "event" else other_repeat.pk)


def test_a_type_written_into_a_grant_shows_no_picture() -> None:
    camera = factories.camera()
    mine, _repeat = _pictured(camera)
    theirs, their_repeat = _pictured(camera)
    principal, _grant = _subscriber(mine)
    _sql(
        "INSERT INTO algorithms_eventtypegrant (id, grant_id, event_type_id, mac) "
        "SELECT %s, grant_id, %s, mac FROM algorithms_eventtypegrant",
        uuid7(),
        theirs.event_type_id,
    )
    assert _opens(principal, "event", mine.pk)
    assert not _opens(principal, "event", theirs.pk)
    assert not _opens(principal, "occurrence", their_repeat.pk)


def test_who_needs_no_grant_is_not_asked_for_one() -> None:
    event, repeat = _pictured(factories.camera())
    served = factories.organisation()
    EventAudience.objects.create(event=event, organisation=served)
    for home in (event.camera.managing_organisation, served):
        principal = principal_of_user(factories.user(home))
        assert _opens(principal, "event", event.pk)
        assert _opens(principal, "occurrence", repeat.pk)


def test_a_person_limited_to_directories_stands_on_the_grant_too() -> None:
    """Their own bureau manages the camera; they do not, and the grant that let them in was changed."""
    event, _repeat = _pictured(factories.camera())
    home = event.camera.managing_organisation
    grant = factories.grant_access(event.camera, home, ("subscribe",)).grant
    EventTypeGrant.objects.create(grant=grant, event_type=event.event_type)
    limited = principal_of_user(factories.user(home, limited_to_directories=True))
    assert _opens(limited, "event", event.pk)
    Grant.objects.filter(pk=grant.pk).update(history_from=clock.now().replace(year=2000))
    assert not _opens(limited, "event", event.pk)
