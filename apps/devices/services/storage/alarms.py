"""What is wrong with the media storage of a machine: a finding, an audit row, a word to those who can mend it."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.permissions import ABILITIES, SYSTEM
from apps.accounts.services.notify import notify_roles
from apps.core import audit, clock
from apps.devices.choices import StorageFault, StorageLevel
from apps.devices.models import StorageFinding
from apps.devices.services.storage.space import Space
from apps.devices.services.storage.spool import Uploaded


def open_findings() -> list[StorageFinding]:
    """What is wrong now, on any machine; the worst first."""
    order = list(StorageFault)
    rows = StorageFinding.objects.filter(ended_at__isnull=True)
    return sorted(rows, key=lambda row: (-order.index(StorageFault(row.kind)), row.node))


@transaction.atomic
def report_storage(*, node: str, space: Space | None, uploaded: Uploaded) -> list[StorageFinding]:
    """Open and close this machine's findings; returns those that are new. `space` None: it cannot be written at all."""
    found: dict[str, float] = {}
    if space is None:
        found[StorageFault.UNWRITABLE] = 0.0
    elif space.level != StorageLevel.ENOUGH:
        found[StorageFault(space.level.value)] = round(space.share, 2)
    if uploaded.is_away:
        found[StorageFault.STORE_AWAY] = float(uploaded.waiting)
    rows = {
        row.kind: row
        for row in StorageFinding.objects.select_for_update().filter(node=node, ended_at__isnull=True)
    }
    moment = clock.now()
    for kind, row in rows.items():
        row.value = found.get(kind, row.value)
        row.ended_at = None if kind in found else moment
        row.save(update_fields=["value", "ended_at", "updated_at"])
        if row.ended_at:
            audit.record(SYSTEM, "storage.mended", row, name=f"{node} {kind}")
    made = [
        StorageFinding(node=node, kind=kind, value=value, started_at=moment)
        for kind, value in found.items()
        if kind not in rows
    ]
    StorageFinding.objects.bulk_create(made, ignore_conflicts=True)
    for row in made:
        audit.record(SYSTEM, "storage.alarm", row, name=f"{node} {row.kind}", value=row.value)
        _notify(row)
    return made


def _notify(row: StorageFinding) -> None:
    with translation.override("zh-hans"):
        notify_roles(
            ABILITIES["operations.view"],
            kind="storage.alarm",
            title=_("Media storage of %(node)s: %(fault)s")
            % {"node": row.node, "fault": row.get_kind_display()},
            body=_("Events and the audit go on. %(step)s") % {"step": next_step(row)},
            link=reverse("dispatch:health"),
        )


def next_step(row: StorageFinding) -> str:
    """What to do about it."""
    if row.kind == StorageFault.STORE_AWAY:
        return _(
            "Check the object store and its address; %(count)d files wait and are sent by themselves."
        ) % {"count": int(row.value)}
    if row.kind == StorageFault.UNWRITABLE:
        return _("Check the media folder: it is missing, read-only or broken.")
    return _("Free or add disk space; %(share).1f %% are left. What stopped goes on by itself.") % {
        "share": row.value
    }
