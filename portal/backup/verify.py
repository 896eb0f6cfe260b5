"""Does the restored database hold what the archive's manifest says?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from apps.core import audit
from portal.backup import files
from portal.backup.later import Lost, pictures_after
from portal.backup.snapshot import audit_head, migrations, table_counts


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared. `faults` are differences; `lost` happened after the backup; `notes` are to be done."""

    made_at: str
    rows: int
    audit_records: int
    files: int
    faults: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True where nothing differs. What happened after the backup is no difference."""
        return not self.faults


def verify(manifest: dict[str, Any], listed: Path, later: list[Lost]) -> Report:
    """Compare rows per table, migrations, the whole audit chain and every listed file."""
    connection.ensure_connection()
    rows = connection.connection
    counts = table_counts(rows)
    faults = [
        f"table {name}: {counts.get(name, 0)} rows, the archive has {number}"
        for name, number in manifest["tables"].items()
        if counts.get(name) != number
    ]
    chain = audit.verify(checkpoints=[])  # those outside know records from after the backup
    if chain.broken_seq is not None:
        faults.append(f"audit chain: broken at record {chain.broken_seq} ({chain.reason})")
    if audit_head(rows) != manifest["audit"]:
        faults.append("audit chain: its newest record is not the archive's")
    outside = audit.verify()
    cut = outside.reason == "truncated" and outside.broken_seq == manifest["audit"]["seq"] + 1
    if outside.broken_seq is not None and not cut and chain.broken_seq is None:
        faults.append(f"audit checkpoints: {outside.reason} at record {outside.broken_seq}")
    number, wrong, paths = _files(listed)
    faults += wrong
    return Report(
        made_at=manifest["made_at"],
        rows=sum(counts.values()),
        audit_records=chain.checked,
        files=number,
        faults=faults,
        lost=(_audit_records(chain.checked) if cut else [])
        + _still_lost(later)
        + list(pictures_after(manifest["made_at"], paths)),
        notes=_notes(manifest, migrations(rows)),
    )


def _audit_records(head: int) -> list[Lost]:
    """What the checkpoints outside know of and the restored chain does not."""
    last = max(audit.read_checkpoints(), key=lambda entry: entry.seq)
    return [Lost("audit records", f"{head + 1}…{last.seq}", last.at, "checkpoints outside the database")]


def _files(listed: Path) -> tuple[int, list[str], set[str]]:
    number, paths, faults = 0, set(), []
    kinds: Counter[str] = Counter()
    for stored in files.read_list(listed):
        number += 1
        if stored.root == "media":
            paths.add(stored.path)
        if fault := files.fault_of(stored):
            kinds[fault] += 1
            if len(faults) < 20:
                faults.append(f"file {stored.root}/{stored.path}: {fault}")
    if sum(kinds.values()) > len(faults):
        faults.append("files: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    return number, faults, paths


def _still_lost(later: list[Lost]) -> list[Lost]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id::text FROM events_event WHERE id = ANY(%s::uuid[])", [[lost.id for lost in later]]
        )
        known = {row[0] for row in cursor.fetchall()}
    return [lost for lost in later if lost.id not in known]


def _notes(manifest: dict[str, Any], applied: list[str]) -> list[str]:
    here = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    notes = []
    if ahead := sorted(here - set(applied)):
        notes.append(f"{len(ahead)} migrations are to be applied: ./vantage up --migrate")
    if behind := sorted(set(applied) - here):
        notes.append(f"the archive was made by a newer version ({', '.join(behind[:5])}): start that version")
    if not manifest["keys"]["included"]:
        notes.append("the archive holds no keys; keep VANTAGE_KEY_FILE apart and safe")
    return notes
