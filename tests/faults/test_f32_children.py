"""F32: a hundred restarts leave no orphan and no zombie."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from portal.launcher import proc
from portal.launcher.procfile import ProcessSpec
from portal.launcher.supervisor import Supervisor
from tests.launcher.support import running_with

RESTARTS = 100


def test_f32_a_hundred_restarts_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.launcher.supervisor.BACKOFF_SECONDS", (0.0,))
    mark = f"97531{os.getpid()}"
    crash = ProcessSpec("crash", f"sh -c 'sleep {mark} & sleep {mark} & exit 3'")
    supervisor = Supervisor([crash], data=tmp_path, environment=dict(os.environ), say=lambda _line: None)
    supervisor.start()
    try:
        ends = time.monotonic() + 120
        while supervisor.managed[0].restarts < RESTARTS:
            supervisor.tend()
            assert time.monotonic() < ends
            time.sleep(0.002)
        assert len(running_with(mark)) <= 3, "at most the last one's"
    finally:
        supervisor.stop()
    assert running_with(mark) == []
    assert [stat for stat in proc.all_stats() if stat.parent == os.getpid() and stat.state == "Z"] == []
