"""S27: the limits that packages are really unpacked under, at their own size."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
from pathlib import Path

import pytest

from workers.vision.packages.unpack import UnpackLimits, UnpackRefused, unpack_zip


def refused(path: Path, tmp_path: Path) -> str:
    """The code; nothing of it is on the disk."""
    before = sorted(str(one) for one in tmp_path.rglob("*"))
    with pytest.raises(UnpackRefused) as refusal:
        unpack_zip(path, tmp_path / "package")
    assert sorted(str(one) for one in tmp_path.rglob("*")) == before
    return refusal.value.code


def test_s27_they_are_those_that_were_promised() -> None:
    limits = UnpackLimits()
    assert (limits.total_bytes, limits.ratio, limits.entries) == (2 * 2**30, 100, 20_000)


def test_s27_twenty_thousand_and_one(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as made:
        for number in range(20_001):
            made.writestr(zipfile.ZipInfo(str(number)), b"")
    assert refused(path, tmp_path) == "too_many_entries"


def test_s27_a_million_entries_end_before_they_are_read(tmp_path: Path) -> None:
    """The directory at the end is as large as it would be; it is judged by its length, not by reading a million."""
    path = tmp_path / "million.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(zipfile.ZipInfo("a"), b"")
    data = path.read_bytes()
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    record, count = data[start:end], 1_000_000
    size = len(record) * count
    large = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    tail = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with path.open("wb") as file:
        file.write(data[:start])
        for _part in range(100):
            file.write(record * (count // 100))
        file.write(large + locator + tail)
    assert zipfile.is_zipfile(path)
    started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(path, tmp_path) == "too_many_entries"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - started < 100 * 1024, (
        "kilobytes: it was not read"
    )


def test_s27_a_bomb_of_a_thousand_to_one_at_full_limits(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        made.writestr("zeros.bin", bytes(16 * 2**20))
    assert 1000 * path.stat().st_size < 16 * 2**20
    assert refused(path, tmp_path) == "ratio"


def test_s27_a_bomb_in_a_bomb_is_a_file(tmp_path: Path) -> None:
    inner: bytes = bytes(16 * 2**20)
    for _depth in range(4):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("a.zip", inner)
        inner = stream.getvalue()
    path = tmp_path / "nested.zip"
    path.write_bytes(inner)
    unpack_zip(path, tmp_path / "package")
    assert [one.name for one in (tmp_path / "package").rglob("*")] == ["a.zip"]
