"""Roles exclude one another, grants begin and end, a principal is never more than its organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.choices import EXCLUSIVE_ROLES, RoleCode
from apps.accounts.models import Grant, Organisation, User
from apps.accounts.permissions import ABILITIES, SYSTEM, Principal, principal_of_user
from apps.accounts.services import bind_role, give_grant, revoke_grant
from apps.core import clock
from apps.core.errors import Conflict, NotAllowed, Refusal
from apps.core.models import AuditRecord
from apps.core.realtime.push import epoch
from tests.support import factories

pytestmark = pytest.mark.django_db
PAIRS = [(one, other) for one in sorted(EXCLUSIVE_ROLES) for other in sorted(EXCLUSIVE_ROLES) if one != other]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_three_administrators_are_three_people(one: str, other: str) -> None:
    user = factories.user(roles=(one,))
    with pytest.raises(Conflict) as refused:
        bind_role(by=SYSTEM, user=user, role=other)
    assert refused.value.code == "exclusive_role"
    assert set(user.role_bindings.values_list("role", flat=True)) == {one}


def test_a_role_is_bound_once_and_recorded_once() -> None:
    user = factories.user(roles=())
    for _ in range(2):
        bind_role(by=SYSTEM, user=user, role="operator")
    assert user.role_bindings.count() == 1
    assert AuditRecord.objects.filter(action="role.bind", object_id=str(user.pk)).count() == 1


@pytest.mark.parametrize("ability", sorted(ABILITIES))
def test_an_ability_is_held_by_its_roles_alone(ability: str) -> None:
    organisation = factories.organisation()
    for role in RoleCode.values:
        principal = factories.principal(organisation, (role,))
        assert principal.can(ability) is (role in ABILITIES[ability]), role
        if not principal.can(ability):
            with pytest.raises(NotAllowed):
                principal.must(ability)


def test_an_app_can_what_its_scopes_say() -> None:
    app = Principal("app", None, "a", None, "", scopes=frozenset({"cameras:write"}))
    assert [app.can(ability) for ability in ("cameras.edit", "scenes.edit")] == [True, False]


def test_who_is_inactive_or_unknown_is_nobody() -> None:
    from django.contrib.auth.models import AnonymousUser

    user = factories.user()
    user.is_active = False
    assert principal_of_user(user) is None
    assert principal_of_user(AnonymousUser()) is None


def make_grant(**fields: Any) -> Grant:
    now = clock.now()
    giver, taker = factories.organisation(), factories.organisation()
    values: dict[str, Any] = {
        "by": SYSTEM, "granted_by": giver, "grantee_kind": "organisation", "grantee_id": taker.pk,
        "grantee_name": taker.name, "actions": ["live", "live", "view"], "purpose": "p", "valid_from": now,
        "valid_to": now + timedelta(days=1), **fields,
    }  # fmt: skip
    return give_grant(**values)


def test_a_grant_is_seen_by_both_sides_and_nobody_else() -> None:
    grant = make_grant()
    taker = Organisation.objects.get(pk=grant.grantee_id)
    sides = (factories.principal(taker), factories.principal(grant.granted_by_organisation))
    assert all(Grant.objects.visible_to(side).filter(pk=grant.pk).exists() for side in sides)
    assert not Grant.objects.visible_to(factories.principal()).exists()
    assert grant.actions == ["live", "view"]
    assert grant.history_from == grant.valid_from


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1)])
def test_a_grant_has_a_length(length: timedelta) -> None:
    now = clock.now()
    with pytest.raises(Refusal) as refused:
        make_grant(valid_from=now, valid_to=now + length)
    assert refused.value.code == "grant_without_length"
    assert not Grant.objects.exists()


@pytest.mark.parametrize("begins", [timedelta(days=-1), timedelta(0), timedelta(days=1)])
def test_revoking_ends_now_once_and_moves_the_epoch(begins: timedelta) -> None:
    now = clock.now()
    grant = make_grant(valid_from=now + begins, valid_to=now + timedelta(days=2))
    before = epoch()
    revoke_grant(by=SYSTEM, grant=grant, reason="r")
    revoke_grant(by=SYSTEM, grant=grant, reason="again")
    assert epoch() > before
    assert not Grant.objects.valid_at(clock.now()).exists()
    assert AuditRecord.objects.filter(action="grant.revoke").count() == 1


def test_a_principal_sees_users_of_its_own_branch() -> None:
    top = factories.organisation()
    below, beside = factories.organisation(top), factories.organisation()
    users = {name: factories.user(org) for name, org in (("top", top), ("below", below), ("beside", beside))}

    def seen(name: str) -> set[Any]:
        rows = User.objects.visible_to(principal_of_user(users[name]))
        return set(rows.values_list("pk", flat=True))

    assert seen("top") == {users["top"].pk, users["below"].pk}
    assert seen("below") == {users["below"].pk}


def test_object_rights_are_answered_by_visibility_and_not_by_stored_rows() -> None:
    from django.contrib.auth import get_user_model

    camera = factories.camera()
    inside, outside = factories.user(camera.managing_organisation), factories.user()
    for user, expected in ((inside, True), (outside, False)):
        fresh = get_user_model().objects.get(pk=user.pk)
        assert fresh.has_perm("devices.live_camera", camera) is expected
