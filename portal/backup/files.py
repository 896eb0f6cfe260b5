"""Stored files: pictures and packages, listed with hashes, copied on demand, checked after a restore."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from apps.devices.services.storage import sealing as storage

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: `root` is media or packages, `path` relative to it with `/`."""

    root: str
    path: str
    size: int
    sha256: str


def roots() -> dict[str, Path]:
    """Where files lie now."""
    return {"media": Path(settings.MEDIA_ROOT), "packages": Path(settings.VANTAGE_PACKAGES)}


def place(root: str, path: str) -> Path:
    """The file's place. ValueError for one outside its root: an archive must not write elsewhere."""
    base = roots()[root].resolve()
    found = (base / path).resolve()
    if not found.is_relative_to(base) or found == base:
        raise ValueError(f"{root}/{path} leaves its folder")
    return found


def is_remote(root: str) -> bool:
    """True for media kept in an object store: then only what has a row is listed."""
    return root == "media" and not isinstance(default_storage, FileSystemStorage)


def opened(root: str, path: str) -> IO[Any]:
    """The file for reading. FileNotFoundError, or the object store's own error."""
    return default_storage.open(path) if is_remote(root) else place(root, path).open("rb")


def size_of(root: str, path: str) -> int:
    """Bytes of the stored file. FileNotFoundError where it is gone."""
    if not is_remote(root):
        return place(root, path).stat().st_size
    if not default_storage.exists(path):
        raise FileNotFoundError(path)
    return int(default_storage.size(path))


def digest(file: IO[Any]) -> str:
    """SHA-256 of an open file in hexadecimal."""
    found = hashlib.sha256()
    while block := file.read(BLOCK):
        found.update(block)
    return found.hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return digest(file)


def walk(root: str) -> Iterator[str]:
    """Relative paths of all files below a root, in order; parts of unfinished writes are left out."""
    base = roots()[root]
    for folder, folders, names in os.walk(base):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".part"):
                yield Path(folder, name).relative_to(base).as_posix()


def list_files(known: Iterator[tuple[str, int, str]]) -> Iterator[StoredFile]:
    """Pictures as their rows know them (nothing is read again), then every other file with its hash of now."""
    seen = set()
    for path, size, sha256 in known:
        seen.add(path)
        yield StoredFile("media", path, size, sha256)
    for root in roots():
        for path in () if is_remote(root) else walk(root):
            if root == "media" and path in seen:
                continue
            try:
                yield StoredFile(root, path, size_of(root, path), digest_of(place(root, path)))
            except FileNotFoundError:  # deleted meanwhile
                continue


def write_list(target: Path, files: Iterator[StoredFile]) -> dict[str, int]:
    """Write the list, compressed; returns how many files and bytes are in it."""
    number = size = 0
    with gzip.open(target, "wt", encoding="utf-8") as lines:
        for file in files:
            lines.write(json.dumps(asdict(file), ensure_ascii=False) + "\n")
            number, size = number + 1, size + file.size
    return {"files": number, "bytes": size}


def read_list(source: Path) -> Iterator[StoredFile]:
    """The files of a list."""
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield StoredFile(**json.loads(line))


def fault_of(file: StoredFile) -> str:
    """What is wrong with the file here: missing, size, changed; empty where nothing is."""
    try:
        if file.sha256 == "" and size_of(file.root, file.path) == file.size:
            return ""
        with opened(file.root, file.path) as stored:
            found, size = digest(stored), size_of(file.root, file.path)
            if (found, size) == (file.sha256, file.size):
                return ""
            stored.seek(0)
            if file.root == "media" and _unsealed_digest(file.path, stored.read()) == file.sha256:
                return ""
        return "size" if size != file.size else "changed"
    except FileNotFoundError:
        return "missing"


def _unsealed_digest(path: str, data: bytes) -> str:
    """Rows know the picture; the file may hold it encrypted."""
    return hashlib.sha256(storage.opened(path, data)).hexdigest()
