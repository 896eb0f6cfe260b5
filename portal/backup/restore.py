"""Putting an archive back."""

from __future__ import annotations

import hmac
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.core.files.storage import default_storage
from django.db import connection

from apps.accounts.permissions import SYSTEM
from apps.core import audit
from apps.core.crypto import provider
from portal.backup import files
from portal.backup.errors import BackupError
from portal.backup.later import events_after
from portal.backup.make import FORMAT
from portal.backup.programs import contents, restore_dump
from portal.backup.verify import Report, verify

Say = Callable[[str], None]
EMPTY = "CREATE SCHEMA IF NOT EXISTS public;\n"
REPLACE = "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;\n"


def restore_backup(source: Path, *, replace: bool, logs: Path | None, say: Say) -> Report:
    """Put the archive into the database of the settings, then compare everything with its manifest.

    BackupError, with nothing changed, where the archive is not whole or not ours, where the database holds anything
    (unless `replace`), or where somebody else is connected to it. The database is restored in one transaction.
    """
    try:
        archive = tarfile.open(source)  # noqa: SIM115 - closed below
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"{source} cannot be read: {error}") from None
    with archive, tempfile.TemporaryDirectory(prefix="vantage-restore-") as folder:
        manifest = read_manifest(archive)
        for name, sha256 in manifest["members"].items():
            _extract(archive, name, Path(folder, name), sha256)
        require_target(replace)
        later = events_after(manifest["made_at"], logs=logs)
        _database(Path(folder, "database.dump"), replace, say)
        if manifest["files"]["included"]:
            _files(archive, Path(folder, "files.jsonl.gz"), say)
        say("restore: comparing with the manifest")
        report = verify(manifest, Path(folder, "files.jsonl.gz"), later)
    if report.holds and any(lost.kind == "audit records" for lost in report.lost):
        audit.accept_loss(f"restored from {source.name}, the backup of {report.made_at}")
    audit.record(SYSTEM, "backup.restore", name=source.name, outcome="done" if report.holds else "incomplete")
    return report


def read_manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    """The manifest, after its keyed hash was checked. BackupError where it was changed or its key is not here."""
    text, said = _member(archive, "manifest.json").read(), _member(archive, "manifest.mac").read().decode()
    key_id, _, mac = said.strip().partition(":")
    try:
        expected = provider().mac(text, purpose="backup", key_id=key_id).hex()
    except ValueError:
        raise BackupError(
            f"the archive was made with key {key_id}, which is not in VANTAGE_KEY_FILE; "
            "without it camera passwords stay sealed and the audit chain cannot be checked"
        ) from None
    if not hmac.compare_digest(mac, expected):
        raise BackupError("the archive's manifest was changed, or the key of that name is another one")
    manifest: dict[str, Any] = json.loads(text)
    if manifest["format"] != FORMAT:
        raise BackupError(f"the archive has format {manifest['format']}; this version reads {FORMAT}")
    return manifest


def require_target(replace: bool) -> None:
    """BackupError where the database holds anything, or somebody works in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        others = int(cursor.fetchone()[0])
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        tables = int(cursor.fetchone()[0])
    if tables and not replace:
        raise BackupError(
            f"the database holds {tables} tables; restore into an empty one, or say --replace to lose what is there"
        )
    if others:
        raise BackupError(
            f"{others} other connections are open on the database; stop Vantage everywhere first"
        )


def _database(dump: Path, replace: bool, say: Say) -> None:
    connection.ensure_connection()
    server = connection.connection.info.server_version
    say("restore: database, in place of what is there" if replace else "restore: database")
    wanted = dump.with_suffix(".list")  # the schema is there already, and its owner may be another here
    lines = [line for line in contents(dump, server=server) if " SCHEMA - public " not in line]
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    restore_dump(dump, wanted, first=REPLACE if replace else EMPTY, server=server)
    connection.close()  # whatever this connection remembers is of the old schema
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _files(archive: tarfile.TarFile, listed: Path, say: Say) -> None:
    """Copy what is missing or different; what is there and right stays."""
    say("restore: stored files")
    for stored in files.read_list(listed):
        if not files.fault_of(stored):
            continue
        try:
            content = _member(archive, f"{stored.root}/{stored.path}")
        except BackupError:  # it was missing already when the archive was made; the comparison names it
            continue
        if files.is_remote(stored.root):
            default_storage.save(stored.path, content)
            continue
        target = files.place(stored.root, stored.path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_name(f"{target.name}.part")
        with part.open("wb") as file:
            shutil.copyfileobj(content, file)
        part.chmod(0o600)
        part.replace(target)


def _extract(archive: tarfile.TarFile, name: str, target: Path, sha256: str) -> None:
    if PurePosixPath(name).name != name:
        raise BackupError(f"the archive names a member {name}, which no archive of ours has")
    with target.open("wb") as file:
        shutil.copyfileobj(_member(archive, name), file)
    if files.digest_of(target) != sha256:
        raise BackupError(f"{name} in the archive is not what was written; the archive is damaged")


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise BackupError(f"the archive holds no {name}")
    return found
