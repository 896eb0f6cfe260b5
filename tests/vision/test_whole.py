"""Files that readers see whole or not at all."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from workers.vision.whole import whole_file


def test_nothing_is_seen_before_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with whole_file(path) as file:
        file.write(b"x" * 100_000)
        assert not path.exists()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"x" * 100_000, 0o640)
    assert [found.name for found in tmp_path.iterdir()] == ["a.jpg"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"before")

    def break_off() -> None:
        with whole_file(path) as file:
            file.write(b"after")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert path.read_bytes() == b"before"
    assert [found.name for found in tmp_path.iterdir()] == ["a.jpg"]


def test_a_disk_that_takes_only_a_part_is_an_error_and_not_a_shorter_file(tmp_path: Path) -> None:
    """The kernel takes what fits and says how much; only who asks again is told that there is no room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
        with pytest.raises(OSError, match="large"), whole_file(tmp_path / "a.look") as file:
            file.write(b"x" * 500_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
