"""Who sees cameras and captures: nobody, another bureau, an ended grant, a grant, the manager."""

from datetime import timedelta

import pytest
from guardian.shortcuts import assign_perm

from apps.accounts.permissions import SYSTEM, principal_of_user
from apps.accounts.services import revoke_grant
from apps.core import clock
from apps.core.ids import key_id
from apps.devices.models import Camera, CameraAccess, Capture, Directory
from apps.devices.services import compile_access, open_stream_url, save_stream
from tests.support import factories

pytestmark = pytest.mark.django_db


def seen(principal, action="view"):
    return set(Camera.objects.visible_to(principal, action).values_list("pk", flat=True))


def test_four_clients_on_a_camera():
    owner, other, ended, granted = (factories.organisation() for _ in range(4))
    camera = factories.camera(owner)
    factories.grant_access(camera, ended, ("live",), ended=True)
    factories.grant_access(camera, granted, ("live",))
    assert seen(None, "live") == set()
    assert seen(factories.principal(other), "live") == set()
    assert seen(factories.principal(ended), "live") == set()
    assert seen(factories.principal(granted), "live") == {camera.pk}
    assert seen(factories.principal(granted), "capture") == set()
    assert seen(factories.principal(owner), "capture") == {camera.pk}


def test_nothing_is_inherited_upward_or_sideways_but_from_below():
    parent = factories.organisation()
    child, sibling = factories.organisation(parent), factories.organisation(parent)
    camera = factories.camera(child)
    assert seen(factories.principal(parent)) == {camera.pk}
    assert seen(factories.principal(sibling)) == set()
    top = factories.camera(parent)
    assert top.pk not in seen(factories.principal(child))


def test_the_catalogue_shows_cards_but_no_pixels():
    camera = factories.camera()
    operator = factories.principal(roles=("operator",))
    assert camera.pk in seen(operator)
    assert camera.pk not in seen(operator, "live")


def test_history_before_the_grant_does_not_exist():
    owner, grantee = factories.organisation(), factories.organisation()
    camera = factories.camera(owner)
    access = factories.grant_access(camera, grantee, ("capture",))
    for offset in (-3600, 3600):
        moment = access.history_from + timedelta(seconds=offset)
        Capture.objects.create(
            id=key_id(moment, camera.pk, offset), camera=camera, time=moment, path="frames/x.jpg"
        )
    found = Capture.objects.visible_to(factories.principal(grantee), "capture")
    assert [row.time > access.history_from for row in found] == [True]
    assert Capture.objects.visible_to(factories.principal(owner), "capture").count() == 2


def test_a_revoked_grant_ends_at_once():
    owner, grantee = factories.organisation(), factories.organisation()
    camera = factories.camera(owner)
    access = factories.grant_access(camera, grantee, ("live",))
    principal = factories.principal(grantee)
    assert seen(principal, "live") == {camera.pk}
    revoke_grant(by=SYSTEM, grant=access.grant, reason="test")
    assert seen(principal, "live") == set()


def test_a_person_limited_to_directories_sees_those_cameras_once():
    organisation = factories.organisation()
    inside, outside = factories.camera(organisation), factories.camera(organisation)
    first, second = (
        Directory.objects.create(kind="own", organisation=organisation, name=name) for name in ("a", "b")
    )
    for directory in (first, second):
        directory.cameras.add(inside)
    user = factories.user(organisation, limited_to_directories=True)
    assert seen(principal_of_user(user)) == set()
    for directory in (first, second):
        assign_perm("devices.view_directory", user, directory)
    rows = Camera.objects.visible_to(principal_of_user(user))
    assert [row.pk for row in rows] == [inside.pk]
    assert outside.pk not in seen(principal_of_user(user))


def test_compiled_access_equals_a_rebuild():
    owner, grantee = factories.organisation(), factories.organisation()
    camera = factories.camera(owner)
    grant = factories.grant_access(camera, grantee, ("live", "capture")).grant
    before = set(CameraAccess.objects.values_list("principal_id", "camera_id", "action"))
    compile_access(grant)
    assert set(CameraAccess.objects.values_list("principal_id", "camera_id", "action")) == before


def test_growing_coverage_never_adds_a_sensitive_camera():
    from apps.accounts.services import give_grant
    from apps.devices.models import DirectoryGrant
    from apps.devices.services import recompile_grants_over

    owner, grantee = factories.organisation(), factories.organisation()
    directory = Directory.objects.create(kind="own", organisation=owner, name="d")
    grant = give_grant(
        by=SYSTEM, granted_by=owner, grantee_kind="organisation", grantee_id=grantee.pk, grantee_name="g",
        actions=["live"], purpose="t", valid_from=clock.now(), valid_to=clock.now() + timedelta(days=1),
        coverage="growing",
    )  # fmt: skip
    DirectoryGrant.objects.create(grant=grant, directory=directory)
    plain, secret = factories.camera(owner), factories.camera(owner, sharing_class="not_shared")
    directory.cameras.add(plain, secret)
    recompile_grants_over(directories=[directory.pk])
    assert seen(factories.principal(grantee), "live") == {plain.pk}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:p%40ss@127.0.0.1:9/live", "rtsp://127.0.0.1:9/live"),
        ("http://127.0.0.1:9/s.flv?channel=1&token=hunter2", "http://127.0.0.1:9/s.flv"),
        ("http://127.0.0.1:9/s.flv?channel=1", "http://127.0.0.1:9/s.flv?channel=1"),
    ],
)
def test_secrets_of_an_address_are_sealed_and_come_back_unchanged(settings, url, shown):
    settings.VANTAGE_OUTBOUND_EXACT = ["127.0.0.1:9"]
    camera = factories.camera()
    stream = save_stream(by=SYSTEM, camera=camera, url=url)
    assert stream.address == shown
    assert "hunter2" not in stream.credentials
    assert open_stream_url(stream) == url


def test_a_password_is_not_sent_to_another_host(settings):
    settings.VANTAGE_OUTBOUND_EXACT = ["127.0.0.1:9", "127.0.0.1:10"]
    camera = factories.camera()
    save_stream(by=SYSTEM, camera=camera, url="rtsp://admin:secret@127.0.0.1:9/live")
    kept = save_stream(by=SYSTEM, camera=camera, url="rtsp://127.0.0.1:9/other")
    assert open_stream_url(kept) == "rtsp://admin:secret@127.0.0.1:9/other"
    moved = save_stream(by=SYSTEM, camera=camera, url="rtsp://127.0.0.1:10/other")
    assert open_stream_url(moved) == "rtsp://127.0.0.1:10/other"
