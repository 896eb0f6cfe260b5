"""F44: backup, destroy, restore: rows, audit chain and pictures are compared; what came after is listed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from apps.accounts.permissions import SYSTEM
from apps.core import audit
from apps.core.ids import uuid7
from apps.core.logs import JsonFormatter
from apps.devices.models import Capture
from apps.dispatch.receivers import logger as event_log
from portal.backup import programs
from portal.backup.errors import BackupError
from tests.events import factories
from tests.support.road import address_of

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A database of its own beside the test database, and the folders of one installation."""

    def __init__(self, folder: Path) -> None:
        self.url = address_of(connection.settings_dict)
        self.name = f"{connection.settings_dict['NAME']}_site"
        self.data = Path(settings.VANTAGE_DATA)
        self.media = folder / "media"
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.archive = folder / "site.tar"

    def make(self) -> None:
        self.destroy()
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.name}"')

    def destroy(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def own_url(self) -> str:
        return self.url.rpartition("/")[0] + f"/{self.name}"

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.own_url()) as rows:
            return rows.execute(sql.SQL(query), values).fetchall()  # type: ignore[arg-type]

    def manage(self, url: str, *arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "portal.settings.test",
                "VANTAGE_TEST_DATA": str(self.data),
                "VANTAGE_MEDIA": str(self.media),
                "DATABASE_URL": url,
                **environment,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {"said": done.stderr}
        return found

    def restore(self, *arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
        words = ("restore", str(self.archive), "--logs", str(self.logs), *arguments)
        return self.manage(self.own_url(), *words, code=code, **environment)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    found.destroy()


def picture(site: Site, event: Any, content: bytes) -> Capture:
    """A stored picture of the event's camera, as the writer keeps it."""
    import hashlib

    identifier = uuid7()
    path = site.media / f"frames/2026/11/21/{identifier}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Capture.objects.create(
        id=identifier,
        camera=event.camera,
        time=event.time,
        path=str(path.relative_to(site.media)),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def line_of(event_id: UUID) -> str:
    """The line that the log of a process has for a raised event."""
    record = event_log.makeRecord(
        event_log.name, 20, "", 0, "event raised", (), None, extra={"event": event_id}
    )
    return JsonFormatter().format(record)


def test_f44_what_was_saved_comes_back_and_what_came_after_is_listed(site: Site) -> None:
    event = factories.event()
    kept = picture(site, event, b"\xff\xd8 kept")
    for number in range(5):
        audit.record(SYSTEM, "site.test", event, number=number)
    manifest = site.manage(site.url, "backup", str(site.archive), "--with-media")
    assert site.archive.stat().st_mode & 0o777 == 0o600
    assert manifest["tables"]["events_event"] == 1
    with tarfile.open(site.archive) as archive:
        assert "keys" not in archive.getnames(), "keys leave the machine only when asked"

    # After the backup: an event whose line is in a log, and a picture; then everything but the files is lost.
    later, lost = uuid4(), uuid7()
    (site.logs / "strategies.log").write_text(line_of(later) + "\n" + line_of(event.pk) + "\n")
    (site.media / f"frames/2026/11/21/{lost}.jpg").write_bytes(b"\xff\xd8 later")
    (site.media / kept.path).unlink()
    site.make()
    report = site.restore()

    assert report["ok"]
    assert report["faults"] == []
    assert {(one["kind"], one["id"]) for one in report["lost"]} == {
        ("event", str(later)),
        ("picture", str(lost)),
    }
    assert (site.media / kept.path).read_bytes() == b"\xff\xd8 kept"
    assert site.ask("SELECT id FROM events_event") == [(event.pk,)]
    assert report["audit_records"] == manifest["audit"]["seq"]
    partitions = "SELECT count(*) FROM pg_inherits"
    with connection.cursor() as cursor:
        cursor.execute(partitions)
        assert site.ask(partitions) == cursor.fetchall()
    with pytest.raises(psycopg.errors.RaiseException):  # the triggers came along
        site.ask("DELETE FROM core_auditrecord RETURNING seq")

    # A database that holds anything is left alone; told to, it is replaced, and its newer events are named.
    before = site.ask("SELECT count(*) FROM core_auditrecord")
    assert "--replace" in site.restore(code=1)["said"]
    assert site.ask("SELECT count(*) FROM core_auditrecord") == before
    newer = uuid7()
    with psycopg.connect(site.own_url()) as rows:
        rows.execute("CREATE TEMP TABLE one AS SELECT * FROM events_event")
        rows.execute("UPDATE one SET id = %s, raw_event_id = %s, created_at = now()", [newer, uuid4()])
        rows.execute("INSERT INTO events_event SELECT * FROM one")
    (site.media / kept.path).write_bytes(b"\xff\xd8 other")
    report = site.restore("--replace")
    assert str(newer) in {one["id"] for one in report["lost"] if one["witness"] == "replaced database"}
    assert (site.media / kept.path).read_bytes() == b"\xff\xd8 kept"


def test_f44_a_damaged_or_foreign_archive_changes_nothing(site: Site, tmp_path: Path) -> None:
    factories.event()
    site.manage(site.url, "backup", str(site.archive))
    content = site.archive.read_bytes()
    site.make()

    site.archive.write_bytes(content.replace(b'"events_event": 1', b'"events_event": 0'))
    assert "changed" in site.restore(code=1)["said"]
    position = content.index(b"PGDMP") + 2000
    site.archive.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
    assert "damaged" in site.restore(code=1)["said"]
    site.archive.write_bytes(content)
    assert "another one" in site.restore(code=1, VANTAGE_TEST_DATA=str(tmp_path / "other"))["said"]
    with psycopg.connect(site.own_url()):
        assert "stop Vantage" in site.restore(code=1)["said"]
    assert site.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_f44_a_restore_that_fails_half_way_leaves_what_was_there(site: Site) -> None:
    factories.event()
    site.manage(site.url, "backup", str(site.archive))
    site.make()
    with psycopg.connect(site.own_url()) as rows:
        rows.execute("CREATE TABLE kept AS SELECT 1 AS number")
        # The dump finds this extension elsewhere, so that its indexes cannot be made when the rows are in already.
        rows.execute("CREATE SCHEMA other; CREATE EXTENSION pg_trgm SCHEMA other")

    assert "is as it was" in site.restore("--replace", code=1)["said"]

    assert site.ask("SELECT number FROM kept") == [(1,)]
    assert site.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


@pytest.mark.parametrize("rows", [b"", b"COPY kept (words) FROM stdin;\nfirst\nsec"])
def test_f44_a_dump_that_ends_early_is_not_committed(
    site: Site, rows: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.make()
    with psycopg.connect(site.own_url()) as made:
        made.execute("CREATE TABLE kept (words text)")
    part = tmp_path / "pg_restore"  # as one that is killed, or whose disk fails
    part.write_bytes(
        b"#!/bin/sh\ncat <<'END'\nINSERT INTO kept VALUES ('half');\n" + rows + b"\nEND\nexit 1\n"
    )
    part.chmod(0o755)
    real = programs.find
    monkeypatch.setattr(
        programs, "find", lambda name, server: part if name == "pg_restore" else real(name, server)
    )
    monkeypatch.setattr(programs, "_address", lambda: (site.own_url(), {**os.environ}))

    with pytest.raises(BackupError, match="is as it was"):
        programs.restore_dump(tmp_path / "dump", tmp_path / "list", first="", server=150000)

    assert site.ask("SELECT count(*) FROM kept") == [(0,)]
