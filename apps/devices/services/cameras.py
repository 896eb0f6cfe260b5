"""Adding and changing cameras."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from shapely.geometry import Point, shape

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import NotAllowed, NotFound, Refusal
from apps.core.wake import wake
from apps.devices.choices import IdentitySystem, StreamRole, Transport
from apps.devices.models import Camera, CameraIdentity, Preset, Region
from apps.devices.selectors import is_managed
from apps.devices.services.streams import check_address, store_stream
from apps.devices.signals import camera_changed
from workers.vision.probe import Probe

EDITABLE = frozenset(
    {
        "name", "kind", "address", "longitude", "latitude", "place_type", "sharing_class",
        "sharing_basis", "data_class", "built_by", "maintained_by", "device",
    }
)  # fmt: skip


def _must_manage(by: Principal, organisation: Organisation) -> None:
    by.must("cameras.edit")
    if by.kind != "system" and not organisation.path.startswith(by.organisation_path):
        raise NotAllowed("not_managing", _("Only the organisation that manages a camera may change it."))


def _must_reach(by: Principal, camera: Camera) -> None:
    """A person limited to directories changes only the cameras in them."""
    if not is_managed(by, camera):
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))


def region_of(longitude: float | None, latitude: float | None) -> Region | None:
    """The smallest region whose boundary holds the position (WGS-84); None outside all."""
    if longitude is None or latitude is None:
        return None
    point = Point(longitude, latitude)
    holding = [
        region
        for region in Region.objects.filter(boundary__isnull=False).order_by("code")
        if shape(region.boundary).covers(point)
    ]
    return max(holding, key=lambda region: len(region.code), default=None)


def search_text(camera: Camera) -> str:
    """Name, codes and address in one column for the trigram index."""
    codes = " ".join(camera.identities.values_list("code", flat=True))
    return f"{camera.name} {codes} {camera.address}"[:2000]


def own_code(camera: Camera) -> str:
    """A flagged 自编码 for a camera without a national one."""
    return f"SELF-{camera.pk.hex[:12].upper()}"


def add_camera(
    *,
    by: Principal,
    organisation: Organisation,
    name: str,
    stream_url: str = "",
    transport: str = Transport.AUTO,
    code: str = "",
    found: Probe | None = None,
    **fields: Any,
) -> Camera:
    """A camera with preset 0, its identity, region by position and, with a URL, its main stream."""
    _must_manage(by, organisation)
    if stream_url:  # before the transaction: a refusal leaves its audit record
        check_address(stream_url, by)
    with transaction.atomic():
        camera = _make_camera(organisation, name, code, fields)
        if stream_url:
            store_stream(
                by=by, camera=camera, url=stream_url, role=StreamRole.MAIN, transport=transport, found=found
            )
        audit.record(by, "camera.add", camera, owner_id=organisation.pk)
        camera_changed.send(sender=Camera, camera=camera)
        wake("analysis")
    return camera


def _make_camera(organisation: Organisation, name: str, code: str, fields: dict[str, Any]) -> Camera:
    camera = Camera(name=name, managing_organisation=organisation, **_known(fields))
    camera.region = region_of(camera.longitude, camera.latitude)
    camera.save(force_insert=True)
    Preset.objects.create(camera=camera, number=0)
    system = IdentitySystem.GB28181 if len(code) == 20 and code.isdigit() else IdentitySystem.SELF
    if code and CameraIdentity.objects.filter(system=system, code=code).exists():
        raise Refusal(
            "code_taken",
            _("Another camera has this code."),
            fields={"code": _("Another camera has this code.")},
        )
    CameraIdentity.objects.create(
        camera=camera, system=system, code=code or own_code(camera), is_primary=True
    )
    camera.search_text = search_text(camera)
    camera.save(update_fields=["search_text"])
    return camera


@transaction.atomic
def change_camera(*, by: Principal, camera: Camera, **fields: Any) -> Camera:
    """Change the card; a new position computes the region again unless it was overridden with a reason."""
    row = Camera.objects.visible_to(by, "view").select_for_update(of=("self",)).filter(pk=camera.pk).first()
    if row is None:
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    _must_manage(by, row.managing_organisation)
    _must_reach(by, row)
    changed = [name for name, value in _known(fields).items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if {"longitude", "latitude"} & set(changed) and not row.region_override_reason:
        row.region = region_of(row.longitude, row.latitude)
    row.search_text = search_text(row)
    row.save()
    audit.record(by, "camera.change", row, owner_id=row.managing_organisation_id, fields=sorted(changed))
    camera_changed.send(sender=Camera, camera=row)
    return row


@transaction.atomic
def set_enabled(*, by: Principal, camera: Camera, enabled: bool) -> Camera:
    """Take a camera out of use or back; its executions wait with a reason."""
    row = Camera.objects.select_for_update().get(pk=camera.pk)
    _must_manage(by, row.managing_organisation)
    _must_reach(by, row)
    row.is_enabled = enabled
    row.save(update_fields=["is_enabled", "updated_at"])
    audit.record(
        by, "camera.enable" if enabled else "camera.disable", row, owner_id=row.managing_organisation_id
    )
    camera_changed.send(sender=Camera, camera=row)
    wake("analysis")
    return row


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(fields) - EDITABLE)
    if unknown:
        raise Refusal("unknown_field", _("These fields cannot be set: %s") % ", ".join(unknown))
    return fields
