"""The files of an unpacked package and its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from workers.vision.runtimes.checksum import sha256_of


class NotPlain(ValueError):
    """Something in the package is neither a plain file nor a folder."""


def files_of(folder: Path) -> list[PurePosixPath]:
    """All files, sorted by path; raises `NotPlain` for links, devices and files with several names."""
    return sorted(_walk(folder, folder))


def fingerprint(folder: Path) -> str:
    """Hex SHA-256 over the sorted list of (path, SHA-256): one line `path NUL sha256 LF` per file, UTF-8."""
    total = hashlib.sha256()
    for name in files_of(folder):
        total.update(f"{name}\0{sha256_of(folder / name)}\n".encode())
    return total.hexdigest()


def _walk(folder: Path, root: Path) -> Iterator[PurePosixPath]:
    for entry in folder.iterdir():
        name = PurePosixPath(entry.relative_to(root).as_posix())
        if entry.is_symlink():
            raise NotPlain(f"{name} is a link")
        if entry.is_dir():
            yield from _walk(entry, root)
        elif entry.is_file():
            if entry.stat().st_nlink != 1:
                raise NotPlain(f"{name} is a hard link")
            yield name
        else:
            raise NotPlain(f"{name} is a special file")
