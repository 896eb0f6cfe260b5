"""Who sees an event, who hears of it, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.permissions import principal_of_user
from apps.core.realtime.topics import hearing_of
from apps.events.models import Event
from apps.events.selectors import event_item, occurrence_item
from apps.events.services import attach_to_main, event_topics
from tests.events import factories as make
from tests.events.four import subscribe_grant
from tests.support import factories

pytestmark = pytest.mark.django_db


def reach(principal: Any, event: Event) -> tuple[bool, bool]:
    """(sees it, hears of it)."""
    sees = Event.objects.visible_to(principal).filter(pk=event.pk).exists()
    return sees, not hearing_of(principal).topics.isdisjoint(event_topics(event))


def test_who_sees_an_event_hears_of_it() -> None:
    parent = factories.organisation()
    manager = factories.organisation(parent)
    execution = make.execution(factories.camera(manager))
    served, watcher, subscriber, ended = (factories.organisation() for _ in range(4))
    make.unit(execution, served)
    event = make.event(execution, now=True)
    factories.grant_access(event.camera, watcher, ("live", "capture"))
    subscribe_grant(event, subscriber)
    subscribe_grant(event, ended, ended=True)

    found = {
        name: reach(factories.principal(organisation), event)
        for name, organisation in {
            "parent": parent,
            "manager": manager,
            "child": factories.organisation(manager),
            "served": served,
            "watcher": watcher,
            "subscriber": subscriber,
            "ended": ended,
            "other": factories.organisation(),
        }.items()
    }

    yes, no = (True, True), (False, False)
    assert found == {
        "parent": yes,
        "manager": yes,
        "child": no,
        "served": yes,
        "watcher": no,
        "subscriber": yes,
        "ended": no,
        "other": no,
    }
    assert reach(None, event) == no


def test_a_subscription_is_for_its_event_type_only() -> None:
    camera = factories.camera()
    event, other = make.event(make.execution(camera), now=True), make.event(make.execution(camera), now=True)
    grantee = factories.organisation()
    access = subscribe_grant(event, grantee)
    principal = factories.principal(grantee)

    assert reach(principal, event) == (True, True)
    assert reach(principal, other) == (False, False)
    assert hearing_of(principal).valid_until == access.valid_to


def test_events_before_the_history_of_a_grant_do_not_exist() -> None:
    event = make.event(seconds=-3 * 86400, now=True)
    grantee = factories.organisation()
    subscribe_grant(event, grantee)

    assert reach(factories.principal(grantee), event) == (False, False)


def test_a_person_limited_to_directories_sees_those_cameras_once() -> None:
    from django.contrib.auth.models import Permission

    from apps.devices.models import Directory, DirectoryUserObjectPermission

    organisation = factories.organisation()
    inside, outside = factories.camera(organisation), factories.camera(organisation)
    user = factories.user(organisation, limited_to_directories=True)
    permission, _made = Permission.objects.get_or_create(
        codename="view_directory",
        content_type__app_label="devices",
        content_type__model="directory",
    )
    for number in range(2):
        directory = Directory.objects.create(organisation=organisation, kind="own", name=f"目录{number}")
        directory.cameras.add(inside)
        DirectoryUserObjectPermission.objects.create(
            user=user, content_object=directory, permission=permission
        )
    seen, hidden = make.event(make.execution(inside)), make.event(make.execution(outside))
    principal = principal_of_user(user)

    assert list(Event.objects.visible_to(principal)) == [seen]
    assert reach(principal, seen) == (True, True)
    assert reach(principal, hidden) == (False, False)


def test_who_sees_an_event_gets_its_picture_and_nobody_else() -> None:
    from apps.core.ids import uuid7
    from apps.devices.models import Capture

    execution = make.execution()
    capture = Capture.objects.create(
        id=uuid7(), camera=execution.camera, time=make.NOON, path="frames/2026/03/02/x.jpg"
    )
    event = make.event(execution, capture_id=capture.pk)
    repeat = make.raw_event(execution, 1, capture_id=capture.pk)
    attach_to_main(event_id=event.pk, raw=repeat)
    manager, other = factories.principal(execution.camera.managing_organisation), factories.principal()

    item = event_item(manager, event.pk)
    assert item is not None
    assert (item.path, item.detections) == (capture.path, event.targets)
    assert occurrence_item(manager, repeat.pk) is not None
    assert event_item(other, event.pk) is None
    assert occurrence_item(other, repeat.pk) is None
    Capture.objects.update(deleted_at=make.NOON)
    assert event_item(manager, event.pk) is None
