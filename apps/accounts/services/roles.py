"""Binding roles."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.choices import EXCLUSIVE_ROLES
from apps.accounts.models import RoleBinding, User
from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import Conflict
from apps.core.realtime.push import bump_epoch


@transaction.atomic
def bind_role(*, by: Principal, user: User, role: str) -> RoleBinding:
    """Give a role; the three administrator roles exclude one another (code `exclusive_role`)."""
    held = set(user.role_bindings.values_list("role", flat=True))
    if role in EXCLUSIVE_ROLES and (held & EXCLUSIVE_ROLES) - {role}:
        raise Conflict(
            "exclusive_role", _("System, security and audit administrator are held by different people.")
        )
    binding, made = RoleBinding.objects.get_or_create(user=user, role=role)
    group, _made = Group.objects.get_or_create(name=f"{user.organisation.code}:{role}")
    user.groups.add(group)
    if made:
        audit.record(by, "role.bind", user, owner_id=user.organisation_id, role=role)
        bump_epoch()
    return binding
