"""S44: no secret that the journeys planted stands in a log or file of the processes, or in the clear in the database.

It runs after the journeys of this session (by its file's name), while their processes are still there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.attacks.test_s44_secrets_stay_inside import columns_holding
from tests.e2e import canaries
from tests.e2e.conftest import Place


def _folders(place: Place) -> list[Path]:
    """Where the processes of the road write: logs, sockets and frames, data with media, spool and renditions."""
    named = (settings.MEDIA_ROOT, settings.VANTAGE_DATA, place.road.folder, place.road.frames)
    return sorted({Path(one).resolve() for one in named if Path(one).is_dir()})


def test_s44_no_planted_secret_is_in_any_log_or_file(place: Place) -> None:
    if not canaries.planted:
        pytest.skip("no journey ran in this session: they plant the secrets")
    assert set(canaries.planted) == canaries.KINDS, (
        "every kind was planted, else the search says nothing of it"
    )
    wanted, since = canaries.every_spelling(), place.started
    logs = list(place.road.folder.glob("*.log"))
    assert {path.stem for path in logs} >= set(place.road.names), "every process wrote its log there"
    searched, found = 0, []
    for path in canaries.written_files(_folders(place), since):
        searched += 1
        found += [(str(path), kind) for kind in canaries.kinds_in(path, wanted)]
    assert found == []
    assert searched >= len(logs)
    assert set(canaries.planted) == canaries.KINDS, (
        "every kind was planted, else the search says nothing of it"
    )


def test_s44_no_planted_secret_is_in_a_plain_column(place: Place) -> None:
    if not canaries.planted:
        pytest.skip("no journey ran in this session: they plant the secrets")
    found = [(kind, columns_holding(text)) for text, kind in canaries.every_spelling().items()]
    assert [(kind, tables) for kind, tables in found if tables] == []


def test_s44_the_password_of_the_camera_was_really_used(place: Place) -> None:
    """Else the search would be for a secret that never went anywhere."""
    if not canaries.planted:
        pytest.skip("no journey ran in this session: they plant the secrets")
    headers = [headers.get("Authorization", "") for _path, headers in place.http.requests]
    used = canaries.every_spelling()
    assert [one for one in headers if one.removeprefix("Basic ") in used]


def test_s44_the_search_finds_what_it_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "planted", {})
    camera = canaries.plant("camera password", "Canary0camera0/Pw")
    totp = canaries.plant("TOTP secret", "ABCDEFGHIJKLMNOP")
    wanted = canaries.every_spelling()
    lines = {
        "plain.log": f"could not open rtsp://admin:{camera}@h/x",
        "quoted.log": "http://admin:Canary0camera0%2FPw@h",
        "basic.log": "Authorization: Basic YWRtaW46Q2FuYXJ5MGNhbWVyYTAvUHc=",
        "grouped.html": "<code>ABCD EFGH IJKL MNOP</code>",
        "shown.txt": f"otpauth://totp/x?secret={totp}",
        "clean.log": "could not open rtsp://admin:***@h/x",
    }
    for name, text in lines.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    os.utime(tmp_path / "shown.txt", (1, 1))
    found = {
        path.name for path in canaries.written_files([tmp_path], 1000.0) if canaries.kinds_in(path, wanted)
    }
    assert found == {"plain.log", "quoted.log", "basic.log", "grouped.html"}
