"""One running system for all flows: real processes, a camera, a real RTSP server, a receiver of webhooks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings, settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from tests.support.clips import SHARED, VIDEOS
from tests.support.http_camera import HttpCamera
from tests.support.receiver import Receiver
from tests.support.road import Road, address_of, claimed_broker, free_port, served_here
from tests.support.rtsp_server import RtspServer
from tests.support.rtsp_server import available as rtsp_missing

PERSONS = VIDEOS / "one_by_one_persons.mp4"
PERSONS_SECONDS = 139.4
running: list[Road] = []


@dataclass(frozen=True)
class Place:
    """Everything a flow meets outside the database."""

    road: Road
    http: HttpCamera
    receiver: Receiver
    rtsp: RtspServer | None
    dead_port: int
    why_no_rtsp: str


@pytest.fixture(scope="session")
def clip_cache() -> Path:
    """Rendered clips by the renderer's version: kept between runs, as rendering takes longer than the flow."""
    given = os.environ.get("VANTAGE_CLIPS")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"vantage-clips-{os.getuid()}"


@pytest.fixture(scope="package")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The test database, committed to, for processes of their own; emptied before and after."""
    with django_db_blocker.unblock():
        empty()
        yield address_of(connection.settings_dict)
        empty()
        connection.close()


def empty() -> None:
    """As after a transactional test; only ever the test database."""
    assert connection.settings_dict["NAME"].startswith("test_")
    call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="package")
def place(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The system with its surroundings; all processes end with the package's last test."""
    folder, dead = tmp_path_factory.mktemp("road"), free_port()
    reason = "" if PERSONS.is_file() else f"{SHARED} with the real clips is absent"
    reason = reason or rtsp_missing()
    rtsp = None if reason else RtspServer(PERSONS, seconds=PERSONS_SECONDS)
    with HttpCamera() as http, Receiver() as receiver, claimed_broker(settings.REDIS_URL) as broker:
        ports = [http.port, receiver.port, dead, *([rtsp.port] if rtsp else [])]
        exact = [f"127.0.0.1:{port}" for port in ports]
        roots = [VIDEOS] if VIDEOS.is_dir() else []
        own = override_settings(
            VANTAGE_OUTBOUND_EXACT=exact,
            VANTAGE_MEDIA_ROOTS=[str(root) for root in roots],
            PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS,  # the web checks what this process sets
        )
        road = Road(
            folder,
            database=database,
            broker=broker,
            data=Path(settings.VANTAGE_DATA),
            exact=exact,
            media_roots=roots,
        )
        with own, road, served_here(broker):
            running.append(road.start())
            yield Place(road, http, receiver, rtsp, dead, reason)
            running.clear()
            if rtsp:
                rtsp.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    """A flow that fails shows what its processes said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [("road", road.logs()) for road in running]
