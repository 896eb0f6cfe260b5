"""Three separated administrators: none does another's work, none sees business data, nobody is above them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import EXCLUSIVE_ROLES, RoleCode
from apps.accounts.models import RoleBinding, User
from apps.accounts.permissions import ABILITIES, SYSTEM, principal_of_user
from apps.accounts.services import bind_role, unbind_role
from apps.core.errors import Conflict, NotAllowed
from apps.core.models import AuditRecord
from apps.core.realtime.topics import hearing_of
from tests.attacks import classes
from tests.attacks.test_s14_every_route import BOX, ROUTES, ask, text_of, undone, url_of, world  # noqa: F401
from tests.attacks.world import World
from tests.support import factories

ADMINISTRATORS = sorted(EXCLUSIVE_ROLES)


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def administrator(world: World, role: str) -> User:  # noqa: F811
    """Of the very bureau whose objects the world holds."""
    return factories.user(world.camera.managing_organisation, (role,))


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_s38_no_route_shows_an_administrator_the_objects_of_their_own_bureau(
    role: str,
    undone: World,  # noqa: F811
) -> None:
    user = administrator(undone, role)
    client, seen = client_of(user), []
    for key, about in classes.OBJECT.items():
        url = url_of(key, about.identifiers(undone))
        for method in ROUTES[key].methods:
            answer = ask(client, method, url, about.data)
            if answer.status_code not in {403, 404, 405} and not (about.empty and answer.status_code == 200):
                seen.append((key, method, answer.status_code))
    for key in classes.LOGIN:
        answer = client.get(url_of(key, {}) + f"?bbox={BOX}&box={BOX}")
        shown = [trace for trace in undone.traces_of_it() if trace in text_of(answer)]
        if shown:
            seen.append((key, "get", shown))
    assert seen == []
    assert hearing_of(principal_of_user(user)).topics == {f"u:{user.pk}"}


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_s38_no_right_of_a_grant_reaches_an_administrator(role: str, undone: World) -> None:  # noqa: F811
    from apps.devices.models import Camera
    from apps.events.models import Event

    user = factories.user(undone.users["granted"].organisation, (role,))
    principal = principal_of_user(user)
    for action in ("view", "live", "capture", "playback", "export"):
        assert not Camera.objects.visible_to(principal, action).exists()
    assert not Event.objects.visible_to(principal).exists()


@pytest.mark.django_db
def test_s38_their_abilities_do_not_meet() -> None:
    held = {role: {name for name, roles in ABILITIES.items() if role in roles} for role in ADMINISTRATORS}
    assert held == {
        "system_admin": {"operations.view", "users.manage", "admin.enter"},
        "security_admin": {"roles.grant", "admin.enter"},
        "audit_admin": {"audit.view", "ledger.view", "admin.enter"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("role", ADMINISTRATORS)
@pytest.mark.parametrize("other", sorted(RoleCode.values))
def test_s38_an_administrators_role_is_held_alone(role: str, other: str) -> None:
    if role == other:
        return
    for first, second in ((role, other), (other, role)):
        user = factories.user(roles=(first,))
        with pytest.raises(Conflict) as refused:
            bind_role(by=SYSTEM, user=user, role=second)
        assert refused.value.code == "exclusive_role"
        assert set(user.role_bindings.values_list("role", flat=True)) == {first}


@pytest.mark.django_db
def test_s38_only_the_security_administrator_gives_roles_and_never_to_themselves() -> None:
    organisation, target = factories.organisation(), factories.user(roles=())
    for role in RoleCode.values:
        principal = factories.principal(organisation, (role,))
        if role == RoleCode.SECURITY_ADMIN:
            bind_role(by=principal, user=target, role="event_reviewer")
            unbind_role(by=principal, user=target, role="event_reviewer")
            for act in (bind_role, unbind_role):
                with pytest.raises(NotAllowed) as refused:
                    act(by=principal, user=principal.user, role="security_admin")
                assert refused.value.code == "own_role"
            continue
        for act in (bind_role, unbind_role):
            with pytest.raises(NotAllowed):
                act(by=principal, user=target, role="event_reviewer")
    assert not target.role_bindings.exists()
    trail = (
        AuditRecord.objects.filter(object_id=str(target.pk)).order_by("seq").values_list("action", flat=True)
    )
    assert [action for action in trail if action.startswith("role.")] == ["role.bind", "role.unbind"]


ADMIN_PAGES = {
    "accounts_user": {"system_admin": "change", "security_admin": "view", "audit_admin": "view"},
    "accounts_organisation": {
        "system_admin": "change", "security_admin": "view", "audit_admin": "view",
    },
    "accounts_rolebinding": {"system_admin": "", "security_admin": "view", "audit_admin": "view"},
    "accounts_grant": {"system_admin": "", "security_admin": "view", "audit_admin": "view"},
    "dispatch_computenode": {"system_admin": "change", "security_admin": "", "audit_admin": ""},
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("role", [*ADMINISTRATORS, "operator", "event_reviewer"])
def test_s38_the_django_admin_shows_each_only_their_own(role: str) -> None:
    from django.contrib import admin

    client = client_of(factories.user(roles=(role,)))
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        status = client.get(reverse(f"admin:{name}_changelist")).status_code
        if role in ADMINISTRATORS:
            allowed = bool(ADMIN_PAGES.get(name, {}).get(role))
            assert status == (200 if allowed else 403), name
        elif role == "event_reviewer":
            assert status == 302, name
        elif model._meta.app_label in {"events", "accounts"} or name in {"devices_camera", "devices_stream"}:
            assert status == 403, name
    assert not any(model.__name__ == "AuditRecord" for model in admin.site._registry)


@pytest.mark.django_db
def test_s38_a_role_given_in_the_admin_goes_through_the_service() -> None:
    boss, target = factories.user(roles=("security_admin",)), factories.user(roles=())
    client = client_of(boss)
    add = reverse("admin:accounts_rolebinding_add")
    assert client.post(add, {"user": str(target.pk), "role": "event_reviewer"}).status_code == 302
    assert AuditRecord.objects.get(action="role.bind", object_id=str(target.pk)).actor_id == str(boss.pk)
    assert target.groups.count() == 1
    for body in ({"user": str(target.pk), "role": "audit_admin"}, {"user": str(boss.pk), "role": "operator"}):
        assert client.post(add, body).status_code in {403, 409}
    binding = RoleBinding.objects.get(user=target)
    client.post(reverse("admin:accounts_rolebinding_delete", args=[binding.pk]), {"post": "yes"})
    assert not target.role_bindings.exists()
    assert AuditRecord.objects.filter(action="role.unbind", object_id=str(target.pk)).exists()


@pytest.mark.django_db
def test_s38_the_system_administrator_makes_accounts_and_touches_no_administrator() -> None:
    client = client_of(factories.user(roles=("system_admin",)))
    organisation = factories.organisation()
    data = {
        "username": "fresh", "organisation": str(organisation.pk), "password1": "Fresh start 99",
        "password2": "Fresh start 99", "usable_password": "true", "is_superuser": "on", "is_staff": "on",
    }  # fmt: skip
    assert client.post(reverse("admin:accounts_user_add"), data).status_code == 302
    fresh = User.objects.get(username="fresh")
    assert (fresh.must_change_password, fresh.is_staff, fresh.is_superuser) == (True, False, False)
    new = {"password1": "Taken over 1234", "password2": "Taken over 1234", "usable_password": "true"}
    url = reverse("admin:auth_user_password_change", args=[fresh.pk])
    fresh.must_change_password = False
    fresh.save()
    session = client_of(fresh)
    assert client.post(url, new).status_code == 302
    fresh.refresh_from_db()
    assert (fresh.must_change_password, fresh.check_password("Taken over 1234")) == (True, True)
    assert session.get("/profile/").status_code == 302
    for role in ADMINISTRATORS:
        target = factories.user(roles=(role,))
        assert (
            client.post(reverse("admin:auth_user_password_change", args=[target.pk]), new).status_code == 403
        )
        target.refresh_from_db()
        assert target.check_password(factories.PASSWORD)


@pytest.mark.django_db
def test_s38_there_is_no_superuser() -> None:
    with pytest.raises(ValueError, match="make_administrator"):
        User.objects.create_superuser("boss", "x")
    user = factories.user()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_superuser=True)


@pytest.mark.django_db
def test_s38_the_first_administrators_are_made_on_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_administrator", "first", role="security_admin")
    name, password = capsys.readouterr().out.strip().split(": ")
    user = User.objects.get(username=name)
    assert user.check_password(password)
    assert (user.must_change_password, user.is_staff) == (True, True)
    assert set(user.role_bindings.values_list("role", flat=True)) == {"security_admin"}
    call_command("make_administrator", "first", reset=True)
    assert not User.objects.get(username=name).check_password(password)
    for arguments in ({"role": "system_admin"}, {"reset": True, "username": "nobody"}):
        with pytest.raises(CommandError):
            call_command("make_administrator", arguments.pop("username", "first"), **arguments)


@pytest.mark.django_db
def test_s38_unchecked_packages_of_other_bureaus_are_not_there() -> None:
    from apps.algorithms.models import AlgorithmPackage

    owner, other = factories.organisation(), factories.organisation()
    package = factories.package(owner, state="rejected")
    ready = factories.package(owner)
    for organisation, sees in ((owner, {package.pk, ready.pk}), (other, {ready.pk})):
        principal = factories.principal(organisation, ("algorithm_arranger",))
        found = AlgorithmPackage.objects.visible_to(principal).filter(organisation=owner)
        assert set(found.values_list("pk", flat=True)) == sees
