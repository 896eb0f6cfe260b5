"""The ledger: who looked at our cameras; and what among it is odd."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.choices import RoleCode
from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.accounts.services.notify import notify_roles
from apps.core import audit, clock
from apps.core.models import AuditRecord
from apps.devices.choices import LOOK_WORDS, OddKind
from apps.devices.models import Camera, OddLooking

WINDOW = 600
"""Seconds that count as one look: a player asks for a picture every few seconds."""
CAMERA = "devices.camera"


def ledger_rows(principal: Principal) -> QuerySet[AuditRecord]:
    """Looks at the cameras of the principal's organisation and below; for audit administrators at all."""
    rows = AuditRecord.objects.filter(action__in=list(LOOK_WORDS))
    if principal.can("audit.view"):
        return rows
    principal.must("ledger.view")
    below = Organisation.objects.filter(path__startswith=principal.organisation_path)
    return rows.filter(owner_id__in=[str(pk) for pk in below.values_list("pk", flat=True)])


def narrowed(rows: QuerySet[AuditRecord], found: dict[str, Any]) -> QuerySet[AuditRecord]:
    """By the cleaned fields of LedgerForm."""
    if found.get("q"):
        rows = rows.filter(Q(actor_name__icontains=found["q"]) | Q(organisation_name__icontains=found["q"]))
    if found.get("camera"):
        camera = str(found["camera"])
        rows = rows.filter(Q(object_id=camera) | Q(object_name=camera))
    if found.get("action"):
        rows = rows.filter(action=found["action"])
    if found.get("since"):
        rows = rows.filter(at__gte=found["since"])
    if found.get("until"):
        rows = rows.filter(at__lt=found["until"])
    return rows


def camera_of(record: AuditRecord) -> str:
    """The id of the camera that was looked at; empty for an export."""
    if record.object_kind == CAMERA:
        return record.object_id
    return record.object_name if _is_id(record.object_name) else ""


def camera_names(records: Iterable[AuditRecord]) -> dict[str, str]:
    """Camera id → name, of those that are still there."""
    ids = {found for record in records if (found := camera_of(record))}
    return {str(pk): name for pk, name in Camera.objects.filter(pk__in=ids).values_list("pk", "name")}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@dataclass
class _Person:
    name: str = ""
    organisation: str = ""
    by_camera: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    night: set[tuple[str, int]] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None


def _people(day: date) -> dict[str, _Person]:
    zone = ZoneInfo(settings.TIME_ZONE)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    evening, morning = settings.VANTAGE_NIGHT_HOURS
    rows = AuditRecord.objects.filter(
        action__in=list(LOOK_WORDS),
        outcome="done",
        actor_kind="user",
        at__gte=start,
        at__lt=start + timedelta(days=1),
    )
    people: dict[str, _Person] = defaultdict(_Person)
    for record in rows.order_by("seq").iterator(chunk_size=2000):
        person = people[record.actor_id]
        person.name, person.organisation = record.actor_name, record.organisation_name
        person.first, person.last = person.first or record.at, record.at
        camera, window = camera_of(record), int(record.at.timestamp()) // WINDOW
        person.by_camera[camera].add(window)
        hour = record.at.astimezone(zone).hour
        if hour >= evening or hour < morning:
            person.night.add((camera, window))
        if path := record.detail.get("path"):
            person.pictures.add(path)
    return people


def _findings(person: _Person) -> list[tuple[OddKind, str, int]]:
    """(kind, camera id, looks) of what is above the site's thresholds."""
    bounds = settings.VANTAGE_ODD_LOOKING
    found = [
        (OddKind.SAME_CAMERA, camera, len(windows))
        for camera, windows in person.by_camera.items()
        if camera and len(windows) >= bounds["same_camera"]
    ]
    if len(person.night) >= bounds["night_looks"]:
        found.append((OddKind.NIGHT, "", len(person.night)))
    if len(person.by_camera) >= bounds["bulk_cameras"] or len(person.pictures) >= bounds["bulk_pictures"]:
        found.append((OddKind.BULK, "", max(len(person.pictures), len(person.by_camera))))
    return found


@transaction.atomic
def flag_odd_looking(day: date) -> list[OddLooking]:
    """Write down what was odd on this day (site's time zone); returns what is new, and tells audit administrators.

    May run again over the same day: a finding grows, and is told once.
    """
    made = []
    people = _people(day)
    names = dict(
        Camera.objects.filter(pk__in={c for p in people.values() for c in p.by_camera if c}).values_list(
            "pk", "name"
        )
    )
    for actor, person in people.items():
        for kind, camera, looks in _findings(person):
            row, is_new = OddLooking.objects.update_or_create(
                kind=kind,
                day=day,
                actor_id=actor,
                camera_id=camera,
                defaults={
                    "actor_name": person.name,
                    "organisation_name": person.organisation,
                    "camera_name": names.get(UUID(camera), "") if camera else "",
                    "looks": looks,
                    "cameras": len(person.by_camera),
                    "first_at": person.first,
                    "last_at": person.last,
                },
            )
            if is_new:
                made.append(row)
    if made:
        _tell(made)
    return made


def _tell(made: list[OddLooking]) -> None:
    for row in made:
        audit.record(None, "looking.flag", row, name=f"{row.kind} {row.actor_name}", looks=row.looks)
    with translation.override("zh-hans"):
        notify_roles(
            [RoleCode.AUDIT_ADMIN],
            kind="looking.flag",
            title=_("Odd looking: %(count)d new") % {"count": len(made)},
            body="; ".join(f"{row.actor_name}: {row.get_kind_display()}" for row in made),
            link=reverse("devices:odd-list"),
        )


@transaction.atomic
def note_odd_looking(*, by: Principal, row: OddLooking, note: str) -> OddLooking:
    """An audit administrator has seen it and says what came of it."""
    by.must("audit.view")
    row = OddLooking.objects.select_for_update().get(pk=row.pk)
    row.noted_at, row.noted_by_name, row.note = clock.now(), by.name[:200], note.strip()[:300]
    row.save(update_fields=["noted_at", "noted_by_name", "note", "updated_at"])
    audit.record(by, "looking.note", row, note=row.note)
    return row
