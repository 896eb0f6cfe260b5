"""S26 and S27: archives that leave their folder, or grow without end. Refused, and nothing left on the disk."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from workers.vision.packages.unpack import UnpackLimits, UnpackRefused, unpack_zip

SMALL = UnpackLimits(total_bytes=5 * 2**20, ratio_floor=64 * 1024)


def archive(
    path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def raw_name(path: Path, name: bytes) -> Path:
    """An archive whose only entry has exactly this name in both headers."""
    archive(path, [("x" * len(name), b"content")], zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"x" * len(name), name))
    return path


def refuse(path: Path, tmp_path: Path, limits: UnpackLimits | None = None) -> str:
    """Unpack must refuse; returns the code. Nothing may be left, inside or outside."""
    inside = tmp_path / "inside"
    inside.mkdir(exist_ok=True)
    before = sorted(str(each) for each in tmp_path.rglob("*"))
    with pytest.raises(UnpackRefused) as refusal:
        unpack_zip(path, inside / "package", limits)
    assert sorted(str(each) for each in tmp_path.rglob("*")) == before
    assert str(refusal.value).isprintable()
    return refusal.value.code


def test_a_sound_archive_is_unpacked(tmp_path):
    path = archive(
        tmp_path / "a.zip",
        [
            ("algorithm.yaml", b"a"),
            ("model/", b""),
            ("model/det.onnx", b"b" * 1000),
            ("说明.md", b"c"),
            (special("run", 0o100777), b"d"),
        ],
    )
    files = unpack_zip(path, tmp_path / "package")
    assert [str(each) for each in files] == ["algorithm.yaml", "model/det.onnx", "run", "说明.md"]
    assert (tmp_path / "package" / "model" / "det.onnx").read_bytes() == b"b" * 1000
    assert stat.S_IMODE((tmp_path / "package" / "run").stat().st_mode) == 0o644
    with pytest.raises(FileExistsError):
        unpack_zip(path, tmp_path / "package")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"../evil", "traversal"),
        (b"a/../../evil", "traversal"),
        (b"a/..", "traversal"),
        (b"/etc/passwd", "absolute"),
        (b"//server/share", "absolute"),
        (b"C:/evil", "absolute"),
        (b"c:evil", "absolute"),
        (b"..\\evil", "name"),
        (b"a\\b", "name"),
        (b"a\x00.onnx", "name"),
        (b"a\nb", "name"),
        (b"./a", "name"),
        (b"a//b", "name"),
        (b"a ", "name"),
        (b"CON", "name"),
        (b"model/nul.txt", "name"),
        (b"a" * 300, "name"),
        (b"a/" * 20 + b"b", "name"),
    ],
)
def test_s26_names_that_leave_the_folder(tmp_path, name, code):
    assert refuse(raw_name(tmp_path / "a.zip", name), tmp_path) == code


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_s26_links_and_devices(tmp_path, kind):
    path = archive(tmp_path / "a.zip", [("ok.txt", b"ok"), (special("link", kind | 0o777), b"/etc/passwd")])
    assert refuse(path, tmp_path) == "link"


def test_s26_a_link_and_a_file_through_it(tmp_path):
    path = archive(
        tmp_path / "a.zip", [(special("out", stat.S_IFLNK | 0o777), b"/tmp"), ("out/evil", b"content")]
    )
    assert refuse(path, tmp_path) in ("link", "duplicate")


@pytest.mark.parametrize("names", [("a", "a"), ("Model/x", "model/X"), ("a", "a/b"), ("é", "e\u0301")])
def test_s26_two_entries_for_one_place(tmp_path, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile notices one of them itself
        path = archive(tmp_path / "a.zip", [(name, b"x") for name in names])
    assert refuse(path, tmp_path) == "duplicate"


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip", b"PK\x05\x06" + b"\xff" * 18])
def test_s26_what_is_no_archive(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert refuse(tmp_path / "a.zip", tmp_path) == "damaged"


def test_s26_a_tar_is_no_package(tmp_path):
    import tarfile

    link = tarfile.TarInfo("evil")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "a.zip", "w") as made:
        made.addfile(link)
    assert refuse(tmp_path / "a.zip", tmp_path) == "damaged"


def test_s27_a_bomb_of_a_thousand_to_one(tmp_path):
    path = archive(tmp_path / "a.zip", [("zeros.bin", b"\0" * 4 * 2**20)])
    assert path.stat().st_size * 900 < 4 * 2**20
    assert refuse(path, tmp_path, SMALL) == "ratio"


def test_s27_many_small_parts_that_are_large_together(tmp_path):
    parts = [(f"{number}.bin", os.urandom(600_000)) for number in range(10)]
    path = archive(tmp_path / "a.zip", parts, zipfile.ZIP_STORED)
    assert refuse(path, tmp_path, SMALL) == "too_large"


def test_s27_a_bomb_inside_an_archive_stays_packed(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", b"\0" * 10 * 2**20)
    path = archive(tmp_path / "a.zip", [("inner.zip", inner.getvalue())], zipfile.ZIP_STORED)
    unpack_zip(path, tmp_path / "package", SMALL)
    assert sum(each.stat().st_size for each in (tmp_path / "package").rglob("*")) < 64 * 1024


def test_s27_too_many_entries(tmp_path):
    path = archive(tmp_path / "a.zip", [(str(number), b"") for number in range(301)], zipfile.ZIP_STORED)
    assert refuse(path, tmp_path, UnpackLimits(entries=300)) == "too_many_entries"


def test_s27_an_archive_that_is_itself_too_large(tmp_path):
    path = archive(tmp_path / "a.zip", [("a", os.urandom(10_000))])
    assert refuse(path, tmp_path, UnpackLimits(archive_bytes=5000)) == "archive_too_large"


@pytest.mark.parametrize("claimed", [10, 10_000_000])
def test_s27_sizes_that_lie(tmp_path, claimed):
    path = archive(tmp_path / "a.zip", [("a.bin", os.urandom(200_000))])
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", claimed)
    data[22:26] = struct.pack("<I", claimed)
    path.write_bytes(data)
    assert refuse(path, tmp_path) in ("lying_size", "damaged")


def overlapping(path: Path) -> Path:
    """Two names in the central directory for one piece of data (CVE-2024-0450)."""
    archive(path, [("a.bin", os.urandom(5000))], zipfile.ZIP_STORED)
    data = path.read_bytes()
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    record = data[start:end]
    second = record.replace(b"a.bin", b"b.bin")
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", len(record) * 2)
    path.write_bytes(data[:start] + record + second + bytes(tail))
    return path


def test_s27_entries_that_share_their_bytes(tmp_path):
    assert refuse(overlapping(tmp_path / "a.zip"), tmp_path) == "overlap"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_s27_other_ways_of_packing(tmp_path, method):
    assert refuse(archive(tmp_path / "a.zip", [("a", b"x" * 100)], method), tmp_path) == "method"


def test_s27_encrypted_entries(tmp_path):
    path = archive(tmp_path / "a.zip", [("a", b"x" * 100)])
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refuse(path, tmp_path) == "encrypted"


def test_s27_damaged_content(tmp_path):
    path = archive(tmp_path / "a.zip", [("a", os.urandom(10_000))], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    assert refuse(path, tmp_path) == "damaged"
