"""Compiling grants into the access rows that `visible_to` reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.accounts.choices import Coverage, GrantState
from apps.accounts.models import Grant
from apps.core.realtime.push import bump_epoch
from apps.devices.choices import DataClass, SharingClass
from apps.devices.models import Camera, CameraAccess, CameraGrant, Directory, Region


def _below(model: type[Directory] | type[Region], roots: Iterable[Any]) -> set[Any]:
    found, frontier = set(roots), set(roots)
    while frontier:
        frontier = set(model.objects.filter(parent_id__in=frontier).values_list("pk", flat=True)) - found
        found |= frontier
    return found


def _covered(grant: Grant) -> set[Any]:
    """Ids of the cameras the grant's links cover today; growing links never add a sensitive camera by themselves."""
    named = set(grant.camera_links.values_list("camera_id", flat=True))
    directories = _below(Directory, grant.directory_links.values_list("directory_id", flat=True))
    regions = _below(Region, grant.region_links.values_list("region_id", flat=True))
    if not directories and not regions:
        return named
    inside = Camera.objects.filter(Q(directories__in=directories) | Q(region__in=regions))
    inside = inside.exclude(sharing_class=SharingClass.NOT_SHARED).exclude(data_class=DataClass.CORE)
    inside = inside.filter(managing_organisation__path__startswith=grant.granted_by_organisation.path)
    return named | set(inside.values_list("pk", flat=True))


@transaction.atomic
def compile_access(grant: Grant) -> int:
    """Rewrite the access rows of one grant; returns how many there are. A fixed grant keeps the cameras of its day."""
    if grant.state == GrantState.REVOKED:
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
