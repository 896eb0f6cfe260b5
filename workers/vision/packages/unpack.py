"""Guarded unzip: a package is refused as a whole, and nothing of a refused one stays on the disk.

Sizes are counted while the content streams, never believed from the headers.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

_CHUNK = 256 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"^[A-Za-z]:")
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
#: Sizes of zip's end records and its locator, and how far from the end a comment may push them.
_END_SIZE, _LOCATOR_SIZE, _END64_SIZE = 22, 20, 56
_END_SEARCHED = _END_SIZE + 2**16
#: What an entry of the directory may take: its header, a name of the allowed length, and some room for extra fields.
_ENTRY_BYTES = 512
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class UnpackLimits:
    """archive_bytes: of the zip itself; total_bytes: unpacked; ratio: unpacked ÷ packed, over all and per entry."""

    archive_bytes: int = 2**30
    total_bytes: int = 2 * 2**30
    ratio: int = 100
    entries: int = 20_000
    ratio_floor: int = 2**20
    """Entries that unpack to less than this are not judged by their ratio: small text packs very well."""
    name_bytes: int = 240
    depth: int = 12


class UnpackRefused(ValueError):
    """Why an archive was refused; `code` is stable, the message names the entry and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def unpack_zip(path: Path, destination: Path, limits: UnpackLimits | None = None) -> list[PurePosixPath]:
    """Unpack a zip into the new folder `destination`; returns the files' paths, sorted.

    Raises `UnpackRefused` (nothing is left behind) or FileExistsError. Files are 0644, folders 0755; times,
    owners and modes of the archive are not taken over.
    """
    limits = limits or UnpackLimits()
    if destination.exists():
        raise FileExistsError(f"{destination} exists already")
    if path.stat().st_size > limits.archive_bytes:
        raise UnpackRefused("archive_too_large", f"the file is larger than {limits.archive_bytes >> 20} MiB")
    destination.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=".unpack-", dir=destination.parent))
    try:
        files = _unpack(path, workshop, limits)
        workshop.chmod(0o755)
        workshop.rename(destination)
    except zipfile.BadZipFile as error:
        raise UnpackRefused("damaged", f"the file is no sound zip archive: {error}") from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return files


def _unpack(path: Path, workshop: Path, limits: UnpackLimits) -> list[PurePosixPath]:
    with path.open("rb") as raw:
        _refuse_large_directory(raw, limits)
        return _unpack_from(raw, path, workshop, limits)


def _unpack_from(raw: BinaryIO, path: Path, workshop: Path, limits: UnpackLimits) -> list[PurePosixPath]:
    with zipfile.ZipFile(raw) as archive:
        if len(archive.infolist()) > limits.entries:
            raise UnpackRefused("too_many_entries", f"more than {limits.entries} entries")
        names = _checked_names(archive, limits)
        _refuse_overlaps(raw, archive)
        total, written = 0, []
        for entry in archive.infolist():
            target = workshop / names[entry]
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            total += _write(archive, entry, target, total, limits)
            written.append(names[entry])
        packed = max(path.stat().st_size, 1)
        if total > limits.ratio_floor and total > packed * limits.ratio:
            raise UnpackRefused("ratio", f"unpacks to more than {limits.ratio} times its size")
    return sorted(written)


def _refuse_large_directory(raw: BinaryIO, limits: UnpackLimits) -> None:
    """Before `zipfile` reads the whole directory into memory: is it longer than the allowed entries could be?

    The end record (PKWARE APPNOTE 4.3.16) says its size, the one of zip64 (4.3.14) too; the larger counts.
    """
    raw.seek(0, os.SEEK_END)
    end = raw.tell()
    raw.seek(max(0, end - _END_SEARCHED))
    tail = raw.read()
    at = len(tail) - _END_SIZE if tail[-_END_SIZE:][:4] == b"PK\x05\x06" else tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_SIZE:
        return  # `zipfile` says what is wrong with it
    sizes = [struct.unpack_from("<L", tail, at + 12)[0]]
    if sizes[0] == 0xFFFFFFFF:  # it says: look into the one of zip64
        sizes = []
    place = end - len(tail) + at
    raw.seek(max(0, place - _LOCATOR_SIZE))
    locator = raw.read(_LOCATOR_SIZE)
    if locator[:4] == b"PK\x06\x07":
        named = struct.unpack_from("<Q", locator, 8)[0]
        for start in (
            named,
            place - _LOCATOR_SIZE - _END64_SIZE,
        ):  # where it is said to be, and where readers look
            raw.seek(min(max(0, start), end))
            record = raw.read(_END64_SIZE)
            if len(record) == _END64_SIZE and record[:4] == b"PK\x06\x06":
                sizes.append(struct.unpack_from("<Q", record, 40)[0])
    if max(sizes, default=0) > limits.entries * _ENTRY_BYTES:
        raise UnpackRefused("too_many_entries", f"more than {limits.entries} entries")


def _write(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, before: int, limits: UnpackLimits
) -> int:
    """Stream one entry out; returns its true size."""
    size = 0
    allowed = max(entry.compress_size * limits.ratio, limits.ratio_floor)
    try:
        with archive.open(entry) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if before + size > limits.total_bytes:
                    raise UnpackRefused("too_large", f"unpacks to more than {limits.total_bytes >> 20} MiB")
                if size > allowed:
                    raise UnpackRefused(
                        "ratio", f"{_shown(entry.filename)} unpacks to over {limits.ratio} times its size"
                    )
                sink.write(chunk)
            os.fchmod(sink.fileno(), 0o644)
    except (zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnpackRefused("damaged", f"{_shown(entry.filename)} cannot be read: {error}") from error
    if size != entry.file_size:
        raise UnpackRefused("lying_size", f"{_shown(entry.filename)} is not as long as the archive says")
    return size


def _checked_names(archive: zipfile.ZipFile, limits: UnpackLimits) -> dict[zipfile.ZipInfo, PurePosixPath]:
    names: dict[zipfile.ZipInfo, PurePosixPath] = {}
    taken: dict[str, bool] = {}
    for entry in archive.infolist():
        name = _checked_name(entry, limits)
        same = unicodedata.normalize("NFC", str(name)).casefold()
        if same in taken and not (entry.is_dir() and taken[same]):
            raise UnpackRefused("duplicate", f"{_shown(entry.filename)} appears twice")
        taken[same] = entry.is_dir()
        names[entry] = name
    for same, is_folder in taken.items():
        for parent in PurePosixPath(same).parents:
            if taken.get(str(parent)) is False:
                raise UnpackRefused("duplicate", f"{_shown(str(parent))} is both a file and a folder")
        del is_folder
    return names


def _checked_name(entry: zipfile.ZipInfo, limits: UnpackLimits) -> PurePosixPath:
    raw = entry.orig_filename
    shown = _shown(raw)
    if "\x00" in raw or any(unicodedata.category(letter) in ("Cc", "Cf") for letter in raw):
        raise UnpackRefused("name", f"{shown} contains control characters")
    if "\\" in raw:
        raise UnpackRefused("name", f"{shown} contains a backslash")
    if raw.startswith("/") or _DRIVE.match(raw):
        raise UnpackRefused("absolute", f"{shown} is an absolute path")
    parts = raw.rstrip("/").split("/")
    if any(part == ".." for part in parts):
        raise UnpackRefused("traversal", f"{shown} leaves the folder of the package")
    if any(part in ("", ".") or part != part.strip() or _RESERVED.match(part) for part in parts):
        raise UnpackRefused("name", f"{shown} is no usable file name")
    if len(raw.encode()) > limits.name_bytes or len(parts) > limits.depth:
        raise UnpackRefused("name", f"{shown} is too long or too deep")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnpackRefused("link", f"{shown} is a link or a special file")
    if entry.flag_bits & 0x1:
        raise UnpackRefused("encrypted", f"{shown} is encrypted: pack it without a password")
    if entry.compress_type not in _METHODS:
        raise UnpackRefused(
            "method", f"{shown} is packed in another way than deflate: pack it with plain zip"
        )
    return PurePosixPath(*parts)


def _refuse_overlaps(raw: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Each entry must own its bytes (CVE-2024-0450: many names for one compressed piece)."""
    spans = []
    for entry in archive.infolist():
        raw.seek(entry.header_offset)
        head = raw.read(_LOCAL_HEADER.size)
        if len(head) != _LOCAL_HEADER.size or not head.startswith(b"PK\x03\x04"):
            raise UnpackRefused("damaged", f"{_shown(entry.filename)} has no local header")
        *_, name_length, extra_length = _LOCAL_HEADER.unpack(head)
        end = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length + entry.compress_size
        spans.append((entry.header_offset, end, entry.filename))
    spans.sort()
    for (_, end, name), (start, _, _) in zip(spans, [*spans[1:], (archive.start_dir, 0, "")], strict=True):
        if end > start:
            raise UnpackRefused("overlap", f"{_shown(name)} shares its bytes with another entry")


def _shown(name: str) -> str:
    """A name fit for a message: short, without control characters."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f"“{clean[:80]}…”" if len(clean) > 80 else f"“{clean}”"
