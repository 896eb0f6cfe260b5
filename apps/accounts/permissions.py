"""Who asks: the Principal, what roles may do, and the backend that answers `has_perm(obj)` through visible_to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.utils.translation import gettext as _

from apps.accounts.choices import EXCLUSIVE_ROLES, STAFF_ROLES
from apps.accounts.choices import RoleCode as R
from apps.accounts.models import Organisation, User
from apps.core import sealing
from apps.core.errors import NotAllowed

#: What each ability allows, and the roles that hold it. Pages, API and services ask for abilities, never for roles.
ABILITIES: dict[str, frozenset[str]] = {
    "cameras.edit": frozenset({R.OPERATOR, R.RESOURCE_MANAGER, R.CAMERA_GOVERNOR}),
    "scenes.edit": frozenset({R.OPERATOR, R.CAMERA_GOVERNOR, R.ALGORITHM_ARRANGER}),
    "packages.manage": frozenset({R.OPERATOR, R.ALGORITHM_ARRANGER}),
    "event_types.manage": frozenset({R.OPERATOR}),
    "tasks.manage": frozenset({R.OPERATOR, R.ALGORITHM_ARRANGER, R.BUREAU_OFFICER}),
    "tasks.prioritise": frozenset({R.OPERATOR}),
    "events.review": frozenset({R.OPERATOR, R.EVENT_REVIEWER, R.BUREAU_OFFICER}),
    "strategies.manage": frozenset({R.OPERATOR, R.EVENT_REVIEWER, R.ALGORITHM_ARRANGER}),
    "apps.manage": frozenset({R.OPERATOR, R.DEVELOPER, R.BUREAU_OFFICER}),
    "grants.manage": frozenset({R.OPERATOR, R.BUREAU_APPROVER, R.DATA_AUTHORITY_APPROVER}),
    "operations.view": frozenset({R.OPERATOR, R.MAINTAINER, R.SYSTEM_ADMIN}),
    "audit.view": frozenset({R.AUDIT_ADMIN}),
    "ledger.view": frozenset(
        {R.OPERATOR, R.RESOURCE_MANAGER, R.BUREAU_APPROVER, R.DATA_AUTHORITY_APPROVER, R.AUDIT_ADMIN}
    ),
    "retention.manage": frozenset({R.OPERATOR}),
    "users.manage": frozenset({R.SYSTEM_ADMIN}),
    "roles.grant": frozenset({R.SECURITY_ADMIN}),
    "admin.enter": STAFF_ROLES,
}
CATALOGUE_ROLES = frozenset({R.OPERATOR, R.DATA_AUTHORITY_APPROVER})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. A user acts for one organisation; an App is its organisation ∩ its scopes."""

    kind: str  # user | app | system
    id: UUID | None
    name: str
    organisation_id: UUID | None
    organisation_path: str
    organisation_name: str = ""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    sees_catalogue: bool = False
    limited_to_directories: bool = False
    group_ids: tuple[int, ...] = ()
    user: User | None = field(default=None, compare=False, repr=False)

    is_authenticated = True
    is_active = True

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The ids a grant may name: the user or App itself, and its organisation."""
        return tuple(identifier for identifier in (self.id, self.organisation_id) if identifier is not None)

    @property
    def is_separated(self) -> bool:
        """True for a system, security or audit administrator: business rows do not exist for them."""
        return not EXCLUSIVE_ROLES.isdisjoint(self.roles)

    @property
    def is_at_top(self) -> bool:
        """True for who acts for an organisation at the top of the tree: what belongs to the whole site is theirs."""
        return self.kind == "system" or len(self.organisation_path) == Organisation.steplen

    @property
    def pk(self) -> UUID | None:
        """What DRF's throttles and logs call the key."""
        return self.id

    def can(self, ability: str) -> bool:
        """True when one of the principal's roles holds the ability (an App: when its scope does)."""
        if self.kind == "system":
            return True
        if self.kind == "app":
            return f"{ability.split('.')[0]}:write" in self.scopes
        return not ABILITIES[ability].isdisjoint(self.roles)

    def must(self, ability: str) -> None:
        """Raise NotAllowed (code `ability_missing`) unless `can(ability)`."""
        if not self.can(ability):
            raise NotAllowed(
                "ability_missing", _("Your role does not include this. Ask your administrator for it.")
            )

    def must_be_at_top(self) -> None:
        """Raise NotAllowed (code `site_wide`) unless the principal acts for the top of the tree."""
        if not self.is_at_top:
            raise NotAllowed(
                "site_wide", _("This belongs to the whole site. Ask an operator of its top organisation.")
            )


SYSTEM = Principal("system", None, "system", None, "")


def principal_of_user(user: Any) -> Principal | None:
    """The principal of a logged-in, active user; None for anybody else."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    organisation = user.organisation
    roles = frozenset(binding.role for binding in user.role_bindings.all() if sealing.is_sound(binding))
    return Principal(
        kind="user",
        id=user.pk,
        name=str(user),
        organisation_id=organisation.pk,
        organisation_path=organisation.path,
        organisation_name=organisation.name,
        roles=roles,
        sees_catalogue=organisation.is_data_authority or not CATALOGUE_ROLES.isdisjoint(roles),
        limited_to_directories=user.limited_to_directories,
        group_ids=tuple(sorted(group.pk for group in user.groups.all())),
        user=user,
    )


class PasswordBackend(ModelBackend):
    """Name and password open the door; what lies behind it is never decided by Django's own permission rows."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Nothing: groups carry rights on directories only, and nobody is a superuser."""
        return False

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Nothing."""
        return False

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Nothing."""
        return set()


def _rights(app: str, actions: str, *names: str) -> frozenset[str]:
    return frozenset(f"{app}.{action}_{name}" for action in actions.split() for name in names)


#: What a role does in the Django admin. Events, pictures, audit records and grants are in nobody's hands there.
ADMIN_RIGHTS: dict[str, frozenset[str]] = {
    R.SYSTEM_ADMIN: _rights("accounts", "view add change", "organisation", "user")
    | _rights("dispatch", "view change", "computenode"),
    R.SECURITY_ADMIN: _rights("accounts", "view", "organisation", "user", "grant", "rolebinding")
    | _rights("accounts", "add delete", "rolebinding"),
    R.AUDIT_ADMIN: _rights("accounts", "view", "organisation", "user", "grant", "rolebinding"),
    R.OPERATOR: _rights(
        "devices", "view add change delete", "region", "directory", "placetype", "tagtree", "tag"
    )
    | _rights("devices", "view add change", "sourceplatform", "device")
    | _rights("algorithms", "view add change", "eventtype", "eventcodemap")
    | _rights("algorithms", "view", "algorithm", "algorithmversion", "algorithmpackage", "detectionitem")
    | _rights("analysis", "view add change delete", "workcalendarday")
    | _rights("openapi", "view change", "service"),
}


class VisibilityBackend(BaseBackend):
    """Answers `has_perm` by roles, and `has_perm(obj)` through `visible_to`, never through stored object rows."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """What the person's roles do in the Django admin."""
        principal = principal_of_user(user_obj)
        return set().union(*(ADMIN_RIGHTS.get(role, ()) for role in principal.roles)) if principal else set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """True when a role does something in that room."""
        return any(right.startswith(f"{app_label}.") for right in self.get_all_permissions(user_obj))

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """By role; with `obj` when it is among the rows visible for the action in the permission's name."""
        if obj is None:
            return perm in self.get_all_permissions(user_obj)
        principal = principal_of_user(user_obj)
        manager = getattr(type(obj), "objects", None)
        if principal is None or manager is None or not hasattr(manager.all(), "visible_to"):
            return False
        action = perm.rpartition(".")[2].partition("_")[0]
        return bool(manager.all().visible_to(principal, action).filter(pk=obj.pk).exists())
