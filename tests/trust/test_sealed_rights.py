"""A grant or role made or changed in SQL gives nothing, and somebody is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Grant, Notification, RoleBinding
from apps.accounts.permissions import SYSTEM, principal_of_user
from apps.accounts.services import revoke_grant
from apps.algorithms.models import EventTypeGrant
from apps.algorithms.services import check_event_type_links
from apps.core import clock, sealing
from apps.core.ids import uuid7
from apps.core.models import AuditRecord
from apps.core.realtime.topics import hearing_of
from apps.devices.models import CameraAccess, CameraGrant
from apps.devices.services.access import check_access, compile_access, is_access_sound
from apps.devices.services.live import live_right
from apps.events.models import Event
from tests.events import factories as events
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _untold(settings: Any) -> None:
    sealing._told.clear()


@pytest.fixture(params=["default", "guomi"], autouse=True)
def _profile(request: Any, settings: Any) -> None:
    settings.VANTAGE_CRYPTO_PROFILE = request.param


def _sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def test_what_the_services_make_is_sound() -> None:
    access = factories.grant_access(factories.camera(), factories.organisation(), ("live",))
    assert access.grant.is_intact
    assert CameraGrant.objects.get().is_intact
    user = factories.user(roles=("operator",))
    assert all(binding.is_intact for binding in user.role_bindings.all())
    assert principal_of_user(user).roles == {"operator"}


def test_a_role_written_into_the_database_gives_nothing_and_is_told(
    django_capture_on_commit_callbacks: Any,
) -> None:
    watcher = factories.user(roles=("security_admin",))
    user = factories.user(roles=("developer",))
    _sql(
        "INSERT INTO accounts_rolebinding (id, user_id, role, created_at, mac) "
        "SELECT %s, user_id, 'operator', created_at, mac FROM accounts_rolebinding WHERE user_id = %s",
        uuid7(),
        user.pk,
    )
    fresh = type(user).objects.get(pk=user.pk)
    assert principal_of_user(fresh).roles == {"developer"}
    assert Notification.objects.filter(user=watcher, kind="seal.broken").count() == 1
    assert principal_of_user(fresh).roles == {"developer"}
    assert Notification.objects.filter(user=watcher, kind="seal.broken").count() == 1, "once an hour"


def test_a_role_changed_in_the_database_gives_nothing() -> None:
    user = factories.user(roles=("developer",))
    RoleBinding.objects.filter(user=user).update(role="operator")
    assert principal_of_user(type(user).objects.get(pk=user.pk)).roles == frozenset()


TAMPERED = {
    "longer": "UPDATE accounts_grant SET valid_to = valid_to + interval '1 year'",
    "more": "UPDATE accounts_grant SET actions = array_append(actions, 'unmasked')",
    "for another": "UPDATE accounts_grant SET grantee_id = %s",
    "without hash": "UPDATE accounts_grant SET mac = ''",
    "another's hash": "UPDATE accounts_grant SET mac = replace(mac, left(split_part(mac, ':', 2), 4), 'ffff')",
}


@pytest.mark.parametrize("way", TAMPERED)
def test_a_changed_grant_gives_nothing_when_compiled_and_when_used(way: str) -> None:
    camera, grantee = factories.camera(), factories.organisation()
    watcher = factories.user(grantee)
    principal = principal_of_user(watcher)
    grant = factories.grant_access(camera, grantee, ("live", "capture")).grant
    assert live_right(principal, camera.pk) is not None
    _sql(
        TAMPERED[way],
        *([grantee.pk] if "%s" in TAMPERED[way] and way != "for another" else []),
        *([uuid7()] if way == "for another" else []),
    )
    assert live_right(principal, camera.pk) is None
    assert compile_access(Grant.objects.get(pk=grant.pk)) == 0
    assert not CameraAccess.objects.filter(grant=grant).exists()


def test_an_older_copy_of_a_revoked_grant_brings_nothing_back() -> None:
    camera, grantee = factories.camera(), factories.organisation()
    grant = factories.grant_access(camera, grantee, ("live",)).grant
    older = Grant.objects.get(pk=grant.pk)
    revoke_grant(by=SYSTEM, grant=grant, reason="test")
    assert compile_access(older) == 0
    assert not CameraAccess.objects.filter(grant=grant).exists()
    assert check_access() == (0, None)


def test_an_access_row_or_link_made_in_sql_opens_no_picture() -> None:
    mine, theirs, grantee = factories.camera(), factories.camera(), factories.organisation()
    principal = principal_of_user(factories.user(grantee))
    access = factories.grant_access(mine, grantee, ("live",))
    _sql(
        "INSERT INTO devices_cameraaccess (id, principal_id, camera_id, action, grant_id, valid_from, valid_to, "
        "history_from) SELECT %s, principal_id, %s, action, grant_id, valid_from, valid_to, history_from "
        "FROM devices_cameraaccess WHERE id = %s",
        uuid7(),
        theirs.pk,
        access.pk,
    )
    assert is_access_sound(principal, mine, "live")
    assert not is_access_sound(principal, theirs, "live")
    _sql(
        "INSERT INTO devices_cameragrant (id, grant_id, camera_id, mac) "
        "SELECT %s, grant_id, %s, mac FROM devices_cameragrant",
        uuid7(),
        theirs.pk,
    )
    assert not is_access_sound(principal, theirs, "live")
    assert check_access() == (1, None)
    assert list(CameraAccess.objects.values_list("camera_id", flat=True)) == [mine.pk]
    assert check_access() == (0, None)


def test_a_snapshot_through_a_changed_grant_is_refused() -> None:
    camera, grantee = factories.camera(), factories.organisation()
    client = Client()
    client.force_login(factories.user(grantee))
    grant = factories.grant_access(camera, grantee, ("live", "capture")).grant
    url = reverse("devices:camera-snapshot", args=[camera.pk])
    assert client.get(url).status_code == 204
    Grant.objects.filter(pk=grant.pk).update(history_from=clock.now().replace(year=2000))
    assert client.get(url).status_code == 404


def test_an_event_type_written_into_a_grant_shows_and_tells_nothing() -> None:
    camera, grantee = factories.camera(), factories.organisation()
    principal = principal_of_user(factories.user(grantee))
    mine, theirs = (events.event(events.execution(camera), now=True) for _ in range(2))
    grant = factories.grant_access(camera, grantee, ("subscribe",)).grant
    EventTypeGrant.objects.create(grant=grant, event_type=mine.event_type)
    topic = f"s:{camera.pk}:{theirs.event_type_id}"
    insert = (
        "INSERT INTO algorithms_eventtypegrant (id, grant_id, event_type_id, mac) "
        "SELECT %s, grant_id, %s, {} FROM algorithms_eventtypegrant"
    )
    _sql(insert.format("''"), uuid7(), theirs.event_type_id)
    assert list(Event.objects.visible_to(principal)) == [mine], "without a hash it counts for nothing at once"
    assert topic not in hearing_of(principal).topics
    EventTypeGrant.objects.filter(event_type=theirs.event_type).delete()
    _sql(insert.format("mac"), uuid7(), theirs.event_type_id)
    assert topic not in hearing_of(principal).topics
    assert f"s:{camera.pk}:{mine.event_type_id}" in hearing_of(principal).topics
    assert check_event_type_links() == (1, None)
    assert list(Event.objects.visible_to(principal)) == [mine]
    assert check_event_type_links() == (0, None)
    assert AuditRecord.objects.filter(action="event_type_grant.broken").count() == 1


def test_event_types_named_before_the_hash_was_there_are_sealed_by_the_upgrade() -> None:
    from importlib import import_module

    from django.apps import apps

    access = factories.grant_access(factories.camera(), factories.organisation(), ("subscribe",))
    link = access.grant.event_type_links.create(event_type=factories.event_type())
    EventTypeGrant.objects.update(mac="")
    step = import_module("apps.algorithms.migrations.0002_seal_event_types_of_grants").Migration.operations[1]
    step.code(apps, type("Editor", (), {"connection": connection}))
    link.refresh_from_db()
    assert link.is_intact
