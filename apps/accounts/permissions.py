"""Who asks: the Principal, what roles may do, and the backend that answers `has_perm(obj)` through visible_to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.utils.translation import gettext as _

from apps.accounts.choices import RoleCode as R
from apps.accounts.models import User
from apps.core.errors import NotAllowed

#: What each ability allows, and the roles that hold it. Pages, API and services ask for abilities, never for roles.
ABILITIES: dict[str, frozenset[str]] = {
    "cameras.edit": frozenset({R.OPERATOR, R.RESOURCE_MANAGER, R.CAMERA_GOVERNOR}),
    "scenes.edit": frozenset({R.OPERATOR, R.CAMERA_GOVERNOR, R.ALGORITHM_ARRANGER}),
    "packages.manage": frozenset({R.OPERATOR, R.ALGORITHM_ARRANGER}),
    "event_types.manage": frozenset({R.OPERATOR}),
    "tasks.manage": frozenset({R.OPERATOR, R.ALGORITHM_ARRANGER, R.BUREAU_OFFICER}),
    "events.review": frozenset({R.OPERATOR, R.EVENT_REVIEWER, R.BUREAU_OFFICER}),
    "strategies.manage": frozenset({R.OPERATOR, R.EVENT_REVIEWER, R.ALGORITHM_ARRANGER}),
    "apps.manage": frozenset({R.OPERATOR, R.DEVELOPER, R.BUREAU_OFFICER}),
    "grants.manage": frozenset({R.OPERATOR, R.BUREAU_APPROVER, R.DATA_AUTHORITY_APPROVER}),
    "operations.view": frozenset({R.OPERATOR, R.MAINTAINER, R.SYSTEM_ADMIN}),
    "audit.view": frozenset({R.AUDIT_ADMIN}),
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


SYSTEM = Principal("system", None, "system", None, "")


def principal_of_user(user: Any) -> Principal | None:
    """The principal of a logged-in, active user; None for anybody else."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    organisation = user.organisation
    roles = frozenset(binding.role for binding in user.role_bindings.all())
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


class VisibilityBackend(BaseBackend):
    """Answers `user.has_perm("app.action_model", obj)` through `visible_to`, never through stored object rows."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """True when `obj` is among the rows visible to the user for the action in the permission's name."""
        principal = principal_of_user(user_obj)
        manager = getattr(type(obj), "objects", None) if obj is not None else None
        if principal is None or manager is None or not hasattr(manager.all(), "visible_to"):
            return False
        action = perm.rpartition(".")[2].partition("_")[0]
        return bool(manager.all().visible_to(principal, action).filter(pk=obj.pk).exists())
