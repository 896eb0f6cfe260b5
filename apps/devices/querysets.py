"""Who sees cameras and what hangs on them: managed, or by an access row that is valid now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from apps.core.models import SealedQuerySet
from apps.core.visibility import VisibleQuerySet


def managed_q(principal: Any, camera: str = "") -> Q:
    """Cameras the principal's organisation or a descendant manages, narrowed to the person's directories."""
    condition = Q(**{f"{camera}managing_organisation__path__startswith": principal.organisation_path})
    if not principal.limited_to_directories:
        return condition
    return condition & Q(**{f"{camera}directories__in": permitted_directories(principal)})


def permitted_directories(principal: Any) -> Any:
    """Ids of the directories guardian gives this person or one of their roles (timeless, inside the organisation)."""
    by_user = apps.get_model("devices", "DirectoryUserObjectPermission").objects.filter(
        user_id=principal.id, permission__codename="view_directory"
    )
    by_group = apps.get_model("devices", "DirectoryGroupObjectPermission").objects.filter(
        group_id__in=principal.group_ids, permission__codename="view_directory"
    )
    return by_user.values("content_object_id").union(by_group.values("content_object_id"))


def access_exists(
    principal: Any, action: str, at: datetime, *, camera: str = "pk", moment: str | None = None
) -> Exists:
    """EXISTS an access row valid at `at`; `moment` names the row's frame time, compared with history_from."""
    rows = apps.get_model("devices", "CameraAccess").objects.filter(
        camera_id=OuterRef(camera),
        principal_id__in=principal.ids,
        valid_from__lte=at,
        valid_to__gt=at,
    )
    if action != "view":
        rows = rows.filter(action=action)
    if moment is not None:
        rows = rows.filter(history_from__lte=OuterRef(moment))
    return Exists(rows)


def reach_q(
    principal: Any, action: str, at: datetime, *, camera: str = "camera", moment: str | None = None
) -> Q:
    """The condition for rows that hang on a camera (`camera` is the path of the foreign key)."""
    return managed_q(principal, f"{camera}__") | Q(
        access_exists(principal, action, at, camera=f"{camera}_id", moment=moment)
    )


class CameraQuerySet(VisibleQuerySet[Any]):
    """The catalogue. The data authority and operators see every card, never pixels by that."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if action == "view" and principal.sees_catalogue:
            return Q()
        return managed_q(principal) | Q(access_exists(principal, action, at))

    def visible_to(self, principal: Any, action: str = "view", *, at: datetime | None = None) -> Any:
        """As in VisibleQuerySet; a person limited to directories may match a camera in two of them: made distinct."""
        rows = super().visible_to(principal, action, at=at)
        if getattr(principal, "limited_to_directories", False):
            return self.filter(pk__in=rows.values("pk"))
        return rows


class OnCameraQuerySet(VisibleQuerySet[Any]):
    """Streams, presets, identities, findings, tags: seen with the camera's card."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if action == "view" and principal.sees_catalogue:
            return Q()
        return reach_q(principal, action, at)


class ManagedQuerySet(VisibleQuerySet[Any]):
    """Secrets of a camera (stream addresses): only its managing organisation."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return managed_q(principal, "camera__")


class CaptureQuerySet(VisibleQuerySet[Any]):
    """Captures need `capture`; frame times before history_from do not exist for a grantee."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        wanted = "capture" if action == "view" else action
        return reach_q(principal, wanted, at, moment="time")


class PublicQuerySet(VisibleQuerySet[Any]):
    """Dictionaries of the platform: every principal reads them."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q()


class DirectoryQuerySet(VisibleQuerySet[Any]):
    """Official directories are public inside the platform; an own one belongs to its organisation."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        own = Q(organisation__path__startswith=principal.organisation_path)
        return own | Q(kind="official") if action == "view" else own


class OwnedQuerySet(VisibleQuerySet[Any]):
    """Source platforms and devices: the organisation that owns them and those above it."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q(organisation__path__startswith=principal.organisation_path)


class AccessQuerySet(VisibleQuerySet[Any]):
    """Who may see a camera: its managing organisation reads all rows, a grantee its own."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return managed_q(principal, "camera__") | Q(principal_id__in=principal.ids)


class DeletionQuerySet(SealedQuerySet, VisibleQuerySet[Any]):
    """The organisation whose things went and those above it; what belongs to none: who manages ages."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if principal.can("audit.view"):
            return Q()
        own = Q(organisation_path__startswith=principal.organisation_path)
        return own | Q(organisation_path="") if principal.can("retention.manage") else own


class OddLookingQuerySet(VisibleQuerySet[Any]):
    """Audit administrators only."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q() if principal.can("audit.view") else None
