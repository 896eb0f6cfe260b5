"""Compiling grants into the access rows that `visible_to` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.accounts.choices import Coverage, GrantState
from apps.accounts.models import Grant
from apps.core import audit, clock
from apps.core.realtime.push import bump_epoch
from apps.core.sealing import is_sound
from apps.devices.choices import DataClass, SharingClass
from apps.devices.models import Camera, CameraAccess, CameraGrant, Directory, Region
from apps.devices.querysets import managed_q


def _below(model: type[Directory] | type[Region], roots: Iterable[Any]) -> set[Any]:
    found, frontier = set(roots), set(roots)
    while frontier:
        frontier = set(model.objects.filter(parent_id__in=frontier).values_list("pk", flat=True)) - found
        found |= frontier
    return found


def _covered(grant: Grant) -> set[Any]:
    """Ids of the cameras the grant's links cover today; growing links never add a sensitive camera by themselves."""
    named = {link.camera_id for link in grant.camera_links.all() if is_sound(link)}
    directories = _below(
        Directory, [link.directory_id for link in grant.directory_links.all() if is_sound(link)]
    )
    regions = _below(Region, [link.region_id for link in grant.region_links.all() if is_sound(link)])
    if not directories and not regions:
        return named
    inside = Camera.objects.filter(Q(directories__in=directories) | Q(region__in=regions))
    inside = inside.exclude(sharing_class=SharingClass.NOT_SHARED).exclude(data_class=DataClass.CORE)
    inside = inside.filter(managing_organisation__path__startswith=grant.granted_by_organisation.path)
    return named | set(inside.values_list("pk", flat=True))


@transaction.atomic
def compile_access(grant: Grant) -> int:
    """Rewrite the access rows of one grant; returns how many there are. A fixed grant keeps the cameras of its day.

    A grant whose keyed hash fails gives nothing; neither does a link of it. The grant is read anew under its lock: who
    holds an older copy must not bring back what was revoked meanwhile.
    """
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    if not is_sound(grant) or grant.state == GrantState.REVOKED:
        CameraAccess.objects.filter(grant=grant).delete()
        bump_epoch()
        return 0
    if grant.coverage == Coverage.FIXED and (grant.directory_links.exists() or grant.region_links.exists()):
        _freeze(grant)
    cameras = _covered(grant)
    CameraAccess.objects.filter(grant=grant).delete()
    rows = [
        CameraAccess(
            principal_id=grant.grantee_id,
            camera_id=camera_id,
            action=action,
            grant=grant,
            valid_from=grant.valid_from,
            valid_to=grant.valid_to,
            history_from=grant.history_from,
        )
        for camera_id in cameras
        for action in grant.actions
    ]
    CameraAccess.objects.bulk_create(rows, batch_size=2000)
    bump_epoch()
    return len(rows)


def _freeze(grant: Grant) -> None:
    """A fixed grant over a directory or region becomes a list of the cameras of that day."""
    cameras = _covered(grant)
    CameraGrant.objects.bulk_create(
        [CameraGrant(grant=grant, camera_id=camera_id) for camera_id in cameras], ignore_conflicts=True
    )
    grant.directory_links.all().delete()
    grant.region_links.all().delete()


def recompile_grants_over(*, directories: Iterable[Any] = (), regions: Iterable[Any] = ()) -> int:
    """A directory or region changed: recompile the growing grants over it."""
    grants = Grant.objects.filter(state=GrantState.ACTIVE, coverage=Coverage.GROWING).filter(
        Q(directory_links__directory__in=list(directories)) | Q(region_links__region__in=list(regions))
    )
    return sum(compile_access(grant) for grant in grants.distinct())


def is_access_sound(principal: Any, camera: Camera, action: str, *, moment: datetime | None = None) -> bool:
    """For the doors of pictures and live video: does the access that let this principal in come from a sound grant?

    `visible_to` read the compiled row; this asks the grant behind it: its keyed hash, its window, its actions, and
    that it names the camera. Managers need no grant. `moment` is the frame's time.
    """
    if principal.kind == "system" or manages(principal, camera):
        return True
    return grant_behind(principal, camera, action, moment=moment) is not None


def grant_behind(
    principal: Any, camera: Camera, action: str, *, moment: datetime | None = None
) -> Grant | None:
    """A sound grant that gives this principal `action` on the camera now; None for managers and for nobody."""
    return next(grants_behind(principal, camera, action, moment=moment), None)


def grants_behind(
    principal: Any, camera: Camera, action: str, *, moment: datetime | None = None
) -> Iterator[Grant]:
    """All of them, each checked when it is asked for."""
    now = clock.now()
    rows = CameraAccess.objects.filter(
        camera=camera, principal_id__in=principal.ids, action=action, valid_from__lte=now, valid_to__gt=now
    ).select_related("grant")
    if moment is not None:
        rows = rows.filter(history_from__lte=moment)
    return (row.grant for row in rows if _is_backed(row, camera, action))


def manages(principal: Any, camera: Camera) -> bool:
    """Managers need no grant; a person limited to directories manages the cameras of those alone."""
    if not principal.limited_to_directories:
        return bool(camera.managing_organisation.path.startswith(principal.organisation_path))
    return Camera.objects.filter(managed_q(principal), pk=camera.pk).exists()


def _is_backed(row: CameraAccess, camera: Camera, action: str) -> bool:
    grant = row.grant
    agrees = (
        grant.state == GrantState.ACTIVE
        and action in grant.actions
        and row.principal_id == grant.grantee_id
        and row.valid_from >= grant.valid_from
        and row.valid_to <= grant.valid_to
        and row.history_from >= grant.history_from
    )
    if not agrees or not is_sound(grant):
        return False
    link = CameraGrant.objects.filter(grant=grant, camera=camera).first()
    return is_sound(link) if link is not None else grant.coverage == Coverage.GROWING


def check_access(limit: int = 200, after: Any = None) -> tuple[int, Any]:
    """Compare the compiled rows of up to `limit` grants with what the grants say; what differs is compiled again.

    Returns (how many differed, the id to go on after; None at the end). A row made past the product goes this way.
    """
    grants = Grant.objects.order_by("pk").filter(valid_to__gt=clock.now())
    found = list((grants.filter(pk__gt=after) if after else grants)[:limit])
    wrong = sum(_rebuilt(grant) for grant in found if _differs(grant))
    return wrong, found[-1].pk if len(found) == limit else None


@transaction.atomic
def _rebuilt(grant: Grant) -> bool:
    """False where the grant was changed while we looked, and agrees now."""
    row = Grant.objects.select_for_update().get(pk=grant.pk)
    if not _differs(row):
        return False
    audit.record(None, "access.rebuilt", row, outcome="refused", expected=len(_expected(row)))
    compile_access(row)
    return True


def _differs(grant: Grant) -> bool:
    rows, expected = list(CameraAccess.objects.filter(grant=grant)), _expected(grant)
    there = {(row.camera_id, row.action) for row in rows if _agrees(row, grant)}
    return there != expected or len(rows) != len(expected)


def _expected(grant: Grant) -> set[tuple[Any, str]]:
    """(camera, action) of what the grant gives by itself."""
    if not is_sound(grant) or grant.state != GrantState.ACTIVE:
        return set()
    return {(camera, action) for camera in _covered(grant) for action in grant.actions}


def _agrees(row: CameraAccess, grant: Grant) -> bool:
    theirs = (row.principal_id, row.valid_from, row.valid_to, row.history_from)
    return theirs == (grant.grantee_id, grant.valid_from, grant.valid_to, grant.history_from)
