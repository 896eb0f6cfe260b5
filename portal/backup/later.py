"""What happened after a backup and is lost with it: said by what outlived the database.

Three witnesses: the database that is replaced, where it can still be read; the processes' logs, in which each raised
event is a line; pictures in the media folder that no row knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, connection

from apps.core.ids import id_time
from portal.backup import files

EVENT_LINE = "event raised"


@dataclass(frozen=True, slots=True)
class Lost:
    """One thing that the restored database does not know. `kind` is event or picture; `witness` says who knew."""

    kind: str
    id: str
    at: str
    witness: str


def events_after(made_at: str, *, logs: Path | None) -> list[Lost]:
    """Events raised at or after the moment of the backup, of every witness but the media folder; each once."""
    since = datetime.fromisoformat(made_at)
    found = {lost.id: lost for lost in _of_logs(since, logs)} if logs else {}
    found.update({lost.id: lost for lost in _of_database(since)})
    return sorted(found.values(), key=lambda lost: lost.at)


def _of_database(since: datetime) -> Iterator[Lost]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('events_event')")
            if cursor.fetchone()[0] is None:
                return
            cursor.execute("SELECT id, created_at FROM events_event WHERE created_at >= %s", [since])
            rows = cursor.fetchall()
    except DatabaseError:  # a broken database is why one restores
        connection.close()
        return
    for identifier, created_at in rows:
        yield Lost("event", str(identifier), created_at.isoformat(), "replaced database")


def _of_logs(since: datetime, folder: Path) -> Iterator[Lost]:
    for path in sorted(folder.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if EVENT_LINE not in line:
                    continue
                try:
                    said = json.loads(line)
                    is_later = datetime.fromisoformat(said["at"]) >= since
                    if is_later and said["message"] == EVENT_LINE:
                        yield Lost("event", str(UUID(said["event"])), said["at"], path.name)
                except (ValueError, KeyError, TypeError):
                    continue


def pictures_after(made_at: str, known: set[str]) -> Iterator[Lost]:
    """Pictures that lie in the media folder and that no row knows; the time is the one inside their id."""
    if files.is_remote("media"):
        return
    for path in files.walk("media"):
        if not path.startswith("frames/") or path in known:
            continue
        try:
            identifier = UUID(Path(path).stem)
        except ValueError:
            continue
        yield Lost("picture", str(identifier), id_time(identifier).isoformat(), path)
