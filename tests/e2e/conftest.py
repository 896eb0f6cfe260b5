"""One running system for all journeys: real processes, a camera on loopback, a receiver of webhooks, two people."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings, settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from tests.support.browser import available
from tests.support.http_camera import HttpCamera
from tests.support.receiver import Receiver
from tests.support.road import Road, address_of, claimed_broker, served_here

running: list[Road] = []


@dataclass(frozen=True)
class Place:
    """Everything a journey meets outside the browser."""

    road: Road
    http: HttpCamera
    receiver: Receiver
    #: Seconds of the epoch before the first process began.
    started: float

    @property
    def site(self) -> str:
        """The address that the browser opens."""
        return self.road.url


@pytest.fixture(scope="session")
def clip_cache() -> Path:
    """Rendered clips by the renderer's version: kept between runs, as rendering takes longer than the journey."""
    given = os.environ.get("VANTAGE_CLIPS")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"vantage-clips-{os.getuid()}"


@pytest.fixture(scope="package")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The test database, committed to, for processes of their own; emptied before and after."""
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)
        yield address_of(connection.settings_dict)
        call_command("flush", verbosity=0, interactive=False)
        connection.close()


@pytest.fixture(scope="package")
def place(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The system with its surroundings; all processes end with the package's last test."""
    if available():
        pytest.skip(available())
    with HttpCamera() as http, Receiver() as receiver, claimed_broker(settings.REDIS_URL) as broker:
        exact = [f"127.0.0.1:{http.port}", receiver.address]
        own = override_settings(
            VANTAGE_OUTBOUND_EXACT=exact,
            PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS,  # the web checks what this process sets
        )
        road = Road(
            tmp_path_factory.mktemp("road"),
            database=database,
            broker=broker,
            data=Path(settings.VANTAGE_DATA),
            exact=exact,
        )
        started = time.time()
        with own, road, served_here(broker):
            running.append(road.start(300.0))
            yield Place(road, http, receiver, started)
            running.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    """A journey that fails shows what its processes said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [("road", road.logs()) for road in running]
