"""S16: a right inside an organisation does not outlive its object: one made again with the same id starts bare."""

from __future__ import annotations

import pytest
from guardian.shortcuts import assign_perm

from apps.accounts.permissions import principal_of_user
from apps.accounts.services import bind_role
from apps.core.ids import uuid7
from apps.devices.models import Camera, CameraAccess, Directory
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("through", ["user", "group"])
def test_s16_a_directory_made_again_gives_nothing(through: str) -> None:
    organisation = factories.organisation()
    user = factories.user(organisation, limited_to_directories=True)
    camera, identifier = factories.camera(organisation), uuid7()

    def make() -> Directory:
        directory = Directory.objects.create(id=identifier, kind="own", organisation=organisation, name="d")
        directory.cameras.add(camera)
        return directory

    def seen() -> bool:
        principal = principal_of_user(type(user).objects.get(pk=user.pk))
        return Camera.objects.visible_to(principal).filter(pk=camera.pk).exists()

    directory = make()
    assert not seen()
    assign_perm("devices.view_directory", user if through == "user" else user.groups.get(), directory)
    assert seen()
    directory.delete()
    make()
    assert not seen()


def test_s16_a_camera_made_again_is_not_granted() -> None:
    owner, taker = factories.organisation(), factories.organisation()
    identifier = uuid7()
    camera = factories.camera(owner, id=identifier)
    factories.grant_access(camera, taker, ("live",))
    principal = factories.principal(taker)
    assert Camera.objects.visible_to(principal, "live").exists()
    camera.delete()
    assert not CameraAccess.objects.exists()
    factories.camera(owner, id=identifier)
    assert not Camera.objects.visible_to(principal, "live").exists()


def test_s16_a_user_made_again_with_the_same_name_has_no_role() -> None:
    from apps.accounts.permissions import SYSTEM

    organisation = factories.organisation()
    first = factories.user(organisation, username="officer", roles=())
    bind_role(by=SYSTEM, user=first, role="operator")
    first.delete()
    again = factories.user(organisation, username="officer", roles=())
    principal = principal_of_user(again)
    assert principal is not None
    assert (principal.roles, principal.group_ids) == (frozenset(), ())
