"""Making an archive."""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.accounts.permissions import SYSTEM
from apps.core import audit, clock
from apps.core.crypto import provider
from portal.backup import files
from portal.backup.errors import BackupError
from portal.backup.programs import run_program
from portal.backup.snapshot import audit_head, captures, migrations, snapshot, table_counts

FORMAT = 1
DUMP = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments")


def make_backup(
    target: Path, *, with_media: bool, with_keys: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write the archive `target` (0600, whole or not at all) while everything runs; returns its manifest.

    BackupError where the file exists, the database cannot be dumped, or a file of `with_media` is not as its row says.
    """
    if target.exists():
        raise BackupError(f"{target} exists; an archive is never overwritten")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".vantage-backup-") as folder:
            manifest = _collect(Path(folder), say)
            manifest["keys"] = {"ids": _key_ids(), "included": with_keys}
            manifest["files"]["included"] = with_media
            _write(part, Path(folder), manifest, say)
        part.replace(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    audit.record(SYSTEM, "backup.make", name=target.name, head=manifest["audit"]["seq"], with_keys=with_keys)
    return manifest


def _collect(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Dump and list into the folder; what the manifest says of them. All of it sees one moment of the database."""
    with snapshot() as seen:
        made_at = clock.now()
        say("backup: database")
        run_program(
            "pg_dump",
            [*DUMP, f"--snapshot={seen.name}", f"--file={folder / 'database.dump'}"],
            server=seen.server,
        )
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "made_at": made_at.isoformat(),
            "site": settings.VANTAGE_SITE,
            "vantage": _version(),
            "server": seen.server,
            "tables": table_counts(seen.rows),
            "migrations": migrations(seen.rows),
            "audit": audit_head(seen.rows),
        }
        say("backup: list of stored files")
        listed = files.list_files(captures(seen.rows))
        manifest["files"] = files.write_list(folder / "files.jsonl.gz", listed)
    manifest["members"] = {
        name: files.digest_of(folder / name) for name in ("database.dump", "files.jsonl.gz")
    }
    return manifest


def _write(part: Path, folder: Path, manifest: dict[str, Any], say: Callable[[str], None]) -> None:
    keys = Path(settings.VANTAGE_KEY_FILE)
    if manifest["keys"]["included"]:
        manifest["members"]["keys"] = files.digest_of(keys)
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / "manifest.json").write_bytes(text)
    mac = f"{provider().mac_id}:{provider().mac(text, purpose='backup').hex()}\n"
    (folder / "manifest.mac").write_text(mac, encoding="utf-8")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("manifest.json", "manifest.mac", "database.dump", "files.jsonl.gz"):
            archive.add(folder / name, arcname=name)
        if manifest["keys"]["included"]:
            archive.add(keys, arcname="keys")
        if manifest["files"]["included"]:
            say(f"backup: {manifest['files']['files']} stored files")
            for stored in files.read_list(folder / "files.jsonl.gz"):
                if fault := files.fault_of(stored):
                    say(f"backup: {stored.root}/{stored.path} is {fault} and is not in the archive")
                    continue
                member = tarfile.TarInfo(f"{stored.root}/{stored.path}")
                member.size, member.mode = files.size_of(stored.root, stored.path), 0o600
                with files.opened(stored.root, stored.path) as content:
                    archive.addfile(member, content)
        file.flush()
        os.fsync(file.fileno())


def _key_ids() -> list[str]:
    lines = Path(settings.VANTAGE_KEY_FILE).read_text(encoding="utf-8").split()
    return [line.partition(":")[0] for line in lines]


def _version() -> str:
    try:
        return version("vantage")
    except PackageNotFoundError:  # run from a checkout
        return ""
