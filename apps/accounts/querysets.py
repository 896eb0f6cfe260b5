"""Who sees organisations, users, grants, jobs and notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.db.models import Q
from treebeard.mp_tree import MP_NodeQuerySet

from apps.core.models import SealedQuerySet
from apps.core.visibility import VisibleQuerySet


def under(principal: Any, prefix: str) -> Q:
    """Rows whose organisation (reached by `prefix`, e.g. `managing_organisation__`) is the principal's or below it."""
    return Q(**{f"{prefix}path__startswith": principal.organisation_path})


class OrganisationQuerySet(VisibleQuerySet[Any], MP_NodeQuerySet[Any]):  # type: ignore[misc]
    """Names of organisations are public inside the platform: a requisition has to name its owner."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q() if action == "view" else under(principal, "")


class UserQuerySet(VisibleQuerySet[Any]):
    """Users of one's own organisation and below."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return under(principal, "organisation__")


class GrantQuerySet(SealedQuerySet, VisibleQuerySet[Any]):
    """A grant is seen by its grantee and by the organisation that gave it."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q(grantee_id__in=principal.ids) | under(principal, "granted_by_organisation__")

    def valid_at(self, at: datetime) -> Any:
        """Active grants whose time window holds `at`."""
        return self.filter(state="active", valid_from__lte=at, valid_to__gt=at)


class OwnQuerySet(VisibleQuerySet[Any]):
    """Things that belong to one user: saved filters, jobs, notifications."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q(user_id=principal.id) if principal.kind == "user" else None


class ExportRequisitionQuerySet(SealedQuerySet, VisibleQuerySet[Any]):
    """One's own requests; who may decide sees those of the own organisation and below."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if principal.kind != "user":
            return None
        own = Q(user_id=principal.id)
        return own | under(principal, "user__organisation__") if principal.can("grants.manage") else own


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates users with a hashed password."""

    use_in_migrations = False

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Any:
        """A user; `organisation` is required."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> Any:
        """Refused: nobody is above the roles."""
        raise ValueError(
            "There are no superusers here. Use: ./vantage manage make_administrator NAME --role …"
        )
