"""Giving and taking roles: the one way, for pages, admin and commands alike."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.choices import EXCLUSIVE_ROLES, STAFF_ROLES
from apps.accounts.models import RoleBinding, User
from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import Conflict, NotAllowed
from apps.core.realtime.push import bump_epoch


@transaction.atomic
def bind_role(*, by: Principal, user: User, role: str) -> RoleBinding:
    """Give a role. Only the security administrator does, and not to themselves (code `own_role`).

    An administrator's role is the only one its holder has (code `exclusive_role`).
    """
    _must_grant(by, user)
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    held = set(user.role_bindings.values_list("role", flat=True)) - {role}
    if held and (role in EXCLUSIVE_ROLES or held & EXCLUSIVE_ROLES):
        raise Conflict(
            "exclusive_role",
            _("An administrator's role is held alone: by somebody without any other. Use another account."),
        )
    binding, made = RoleBinding.objects.get_or_create(user=user, role=role)
    user.groups.add(_group(user, role))
    if made:
        _tell(by, user, "role.bind", role)
    return binding


@transaction.atomic
def unbind_role(*, by: Principal, user: User, role: str) -> None:
    """Take a role away: it ends with the next request, and on open sockets within 5 s."""
    _must_grant(by, user)
    gone, _rows = RoleBinding.objects.filter(user=user, role=role).delete()
    user.groups.remove(_group(user, role))
    if gone:
        _tell(by, user, "role.unbind", role)


def _must_grant(by: Principal, user: User) -> None:
    by.must("roles.grant")
    if by.kind == "user" and by.id == user.pk:
        raise NotAllowed("own_role", _("Nobody changes their own roles. Ask another security administrator."))


def _group(user: User, role: str) -> Group:
    group, _made = Group.objects.get_or_create(name=f"{user.organisation.code}:{role}")
    return group


def _tell(by: Principal, user: User, action: str, role: str) -> None:
    """The trail, every open socket, and whether the Django admin opens for this person."""
    staff = user.role_bindings.filter(role__in=STAFF_ROLES).exists()
    if user.is_staff != staff:
        user.is_staff = staff
        user.save(update_fields=["is_staff"])
    audit.record(by, action, user, owner_id=user.organisation_id, role=role)
    bump_epoch()
