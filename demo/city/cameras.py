"""Regions, directories, tags; twelve live cameras and two thousand of the catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.accounts.services import give_grant
from apps.algorithms.models import EventType, EventTypeGrant
from apps.core import clock
from apps.devices.models import (
    Camera,
    CameraGrant,
    CameraIdentity,
    CameraTag,
    Directory,
    PlaceType,
    Preset,
    Region,
    Stream,
    Tag,
    TagTree,
)
from apps.devices.services import compile_access
from demo.catalogue import DIRECTORIES, LIVE_CAMERAS, PLACE_TYPES, TAG_TREES, CameraEntry, catalogue_cameras
from demo.geography import regions


@transaction.atomic
def make_cameras(organisations: dict[str, Organisation], say: Callable[[str], None]) -> None:
    """All cameras; the live ones get their stream from the demo's own process."""
    shelves = _Shelves(organisations)
    shelves.add(LIVE_CAMERAS)
    port = os.environ.get("VANTAGE_STREAMER_PORT", "")
    codes = {entry.code: entry.clip for entry in LIVE_CAMERAS}
    for identity in CameraIdentity.objects.filter(code__in=codes).select_related("camera"):
        Stream.objects.create(
            camera=identity.camera,
            role="main",
            address=f"http://127.0.0.1:{port}/live/{codes[identity.code]}.ts",
            codec="h264",
            width=640,
            height=360,
            frame_rate=12,
            gop=24,
        )
    catalogue = catalogue_cameras()
    shelves.add(catalogue)
    say(f"cameras: {len(LIVE_CAMERAS)} live, {len(catalogue)} in the catalogue")


class _Shelves:
    """Dictionaries made first, so that cameras can name them."""

    def __init__(self, organisations: dict[str, Organisation]) -> None:
        self.organisations = organisations
        self.regions: dict[str, Region] = {}
        for area in regions():
            self.regions[area.code] = Region.objects.create(
                code=area.code,
                name=area.name_zh,
                parent=self.regions.get(area.parent or ""),
                boundary=area.boundary,
            )
        self.places: dict[str, PlaceType] = {}
        for code, parent, zh, _en in PLACE_TYPES:
            self.places[code] = PlaceType.objects.create(
                code=code, name=zh, parent=self.places.get(parent or "")
            )
        self.directories: dict[str, Directory] = {}
        for order, (code, parent, kind, owner, zh, _en) in enumerate(DIRECTORIES):
            self.directories[code] = Directory.objects.create(
                kind=kind,
                organisation=organisations[owner],
                parent=self.directories.get(parent or ""),
                name=zh,
                order=order,
            )
        self.tags = self._tags(organisations["DEMO"])

    @staticmethod
    def _tags(owner: Organisation) -> dict[str, Tag]:
        made: dict[str, Tag] = {}
        for _code, zh, _en, entries in TAG_TREES:
            tree = TagTree.objects.create(organisation=owner, name=zh, is_published=True)
            for code, name, parent in entries:
                made[code] = Tag.objects.create(tree=tree, name=name, parent=made.get(parent or ""))
        return made

    def add(self, entries: Iterable[CameraEntry]) -> None:
        """Insert in bulk; what hangs on a camera follows."""
        chosen = list(entries)
        cameras = [self._camera(entry) for entry in chosen]
        Camera.objects.bulk_create(cameras, batch_size=500)
        pairs = list(zip(chosen, cameras, strict=True))
        Preset.objects.bulk_create([Preset(camera=camera, number=0) for camera in cameras], batch_size=1000)
        CameraIdentity.objects.bulk_create(
            [
                CameraIdentity(camera=camera, system="gb28181", code=entry.code, is_primary=True)
                for entry, camera in pairs
            ],
            batch_size=1000,
        )
        links = Directory.cameras.through
        links.objects.bulk_create(
            [
                links(directory_id=self.directories[code].pk, camera_id=camera.pk)
                for entry, camera in pairs
                for code in entry.directories
            ],
            batch_size=1000,
        )
        CameraTag.objects.bulk_create(
            [
                CameraTag(camera=camera, tag=self.tags[code], source="import")
                for entry, camera in pairs
                for code in entry.tags
            ],
            batch_size=1000,
        )

    def _camera(self, entry: CameraEntry) -> Camera:
        return Camera(
            name=entry.name_zh,
            kind=entry.kind,
            managing_organisation=self.organisations[entry.organisation],
            region=self.regions.get(entry.region),
            place_type=self.places.get(entry.place_type),
            address=entry.address_zh,
            longitude=entry.longitude,
            latitude=entry.latitude,
            sharing_class=entry.sharing,
            sharing_basis="演示数据" if entry.sharing == "not_shared" else "",
            search_text=f"{entry.name_zh} {entry.name_en} {entry.code} {entry.address_zh}",
            is_demo=True,
        )


@transaction.atomic
def make_grants(organisations: dict[str, Organisation]) -> None:
    """The transport bureau may watch and hear of two cameras of urban management for 25 days."""
    now = clock.now()
    owner, grantee = organisations["CG"], organisations["JT"]
    cameras = Camera.objects.filter(managing_organisation=owner, streams__isnull=False).order_by("id")[:2]
    grant = give_grant(
        by=SYSTEM,
        granted_by=owner,
        grantee_kind="organisation",
        grantee_id=grantee.pk,
        grantee_name=grantee.name,
        actions=["live", "capture", "subscribe"],
        purpose="防汛保畅（演示）",
        valid_from=now,
        valid_to=now + timedelta(days=25),
        requisition_reference="DEMO-2026-0001",
    )
    CameraGrant.objects.bulk_create([CameraGrant(grant=grant, camera=camera) for camera in cameras])
    water = EventType.objects.filter(code__in=["010201", "010101"])
    EventTypeGrant.objects.bulk_create([EventTypeGrant(grant=grant, event_type=kind) for kind in water])
    compile_access(grant)
