"""F29: a holder whose decoders leak for weeks is replaced, and the frames go on; and ours do not leak."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import make_clip
from tests.support.holding import hurried
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.usage import resident
from tests.support.waiting import wait_until
from workers.management.succession import Parent
from workers.vision.holder import Demand, StreamHolder, StreamWish

ROOT = Path(__file__).resolve().parents[2]
PROMISED_GAP = 2.0


class Deliveries:
    """What the children wrote down."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def rows(self) -> list[tuple[int, float, float]]:
        return [
            (int(pid), float(at), float(came))
            for pid, at, came in (
                line.split() for line in self.path.read_text().splitlines(True) if "\n" in line
            )
        ]

    def pids(self) -> list[int]:
        """In their order; one that came back after another would be here twice."""
        return [pid for pid, _ in itertools.groupby(row[0] for row in self.rows())]

    def longest_gap(self) -> float:
        came = [row[2] for row in self.rows()]
        return max(later - earlier for earlier, later in itertools.pairwise(came))


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    with HttpCamera() as made:
        made.add_live("/live", make_clip(frames=20, gop=5))
        yield made


def run(
    camera: HttpCamera,
    tmp_path: Path,
    until: Callable[[Parent, Deliveries], bool],
    *,
    leak: float = 0,
    **limits: float,
) -> tuple[Parent, Deliveries]:
    """A parent with a real holder as its child, until the condition holds."""
    deliveries = Deliveries(tmp_path / "deliveries")
    command = [
        sys.executable,
        "-m",
        "tests.support.holding_child",
        str(camera.port),
        str(deliveries.path),
        str(leak),
    ]
    parent, ended = Parent(command, look=0.2, **limits), threading.Event()
    before = os.getcwd()
    os.chdir(ROOT)
    running = threading.Thread(target=parent.run, args=(ended,))
    running.start()
    try:
        assert wait_until(lambda: until(parent, deliveries), 90)
    finally:
        ended.set()
        running.join(30)
        os.chdir(before)
    assert not running.is_alive()
    return parent, deliveries


def test_f29_a_child_that_is_too_old_is_replaced_without_a_gap(camera: HttpCamera, tmp_path: Path) -> None:
    parent, deliveries = run(camera, tmp_path, lambda _parent, found: len(found.pids()) >= 4, max_seconds=3.0)
    pids = deliveries.pids()
    assert len(pids) == len(set(pids)), "two children delivered at the same time"
    assert parent.replaced >= 3
    assert parent.crashed == 0
    assert deliveries.longest_gap() < PROMISED_GAP
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "a child was left behind"


def test_f29_a_child_that_leaks_is_replaced_at_its_limit(camera: HttpCamera, tmp_path: Path) -> None:
    parent, deliveries = run(
        camera, tmp_path, lambda _parent, found: len(found.pids()) >= 2, leak=20, max_megabytes=400
    )
    assert parent.replaced >= 1
    assert deliveries.longest_gap() < PROMISED_GAP


def test_f29_a_child_that_dies_is_started_again_and_none_survives_its_parent(
    camera: HttpCamera, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_once(parent: Parent, found: Deliveries) -> bool:
        if not killed and len(found.rows()) > 3:
            killed.append(parent.pid)
            os.kill(parent.pid, signal.SIGSEGV)
        return len(found.pids()) >= 2

    parent, deliveries = run(camera, tmp_path, kill_once)
    assert (parent.crashed, parent.replaced) == (1, 0)
    assert deliveries.pids()[0] == killed[0]


@pytest.mark.slow_fault
@pytest.mark.timeout(900)
def test_f29_memory_does_not_rise_with_decoding_and_reconnecting(camera: HttpCamera) -> None:
    """Two hours of a keyframe every two seconds are 3,600 decodes: here in minutes, with reconnects among them."""
    decoded, samples = 3600, []
    camera.add_live("/fast", make_clip(frames=20, gop=2, width=640, height=360), pace=0.002)
    with StreamHolder(LoopbackOnly(camera.port), lambda *_: None, backoff=hurried) as holder:
        wish = StreamWish(camera.url("/fast"), (Demand("keyframes", 0.001),), live=True)
        holder.reconcile({"a": wish})
        assert wait_until(lambda: holder.status()["a"].state == "online")
        viewer = holder.view("a")  # somebody watches too: the remuxer runs, and the thread takes no naps
        assert viewer is not None

        def counted() -> int:
            return holder.status()["a"].counters.decoded

        for mark in range(200, decoded + 1, 200):
            assert wait_until(lambda mark=mark: counted() >= mark, 60)
            if mark % 600 == 0:
                camera.stop()
                assert wait_until(lambda: holder.status()["a"].state != "online", 30)
                camera.start()
            if mark > decoded // 4:  # allocators have what they need by then
                samples.append((mark, resident()))
    counts, sizes = np.array(samples, float).T
    per_thousand = float(np.polyfit(counts, sizes, 1)[0]) * 1000
    assert per_thousand < 1_000_000, f"{per_thousand / 1e6:.2f} MB for each 1,000 keyframes"


def test_f29_the_parent_is_small_and_writes_structured_lines(camera: HttpCamera, tmp_path: Path) -> None:
    """`manage.py streams` turns into this: none of the libraries that may leak is in it."""
    deliveries = Deliveries(tmp_path / "deliveries")
    child = [sys.executable, "-m", "tests.support.holding_child", str(camera.port), str(deliveries.path), "0"]
    own = [sys.executable, "-m", "workers.management.succession", "0", "2.5", *child]
    with open(tmp_path / "log", "wb") as log:
        parent = subprocess.Popen(own, cwd=ROOT, stderr=log)
        try:
            assert wait_until(lambda: len(deliveries.pids()) >= 2, 90)
            used = resident(parent.pid)
        finally:
            parent.terminate()
            assert parent.wait(30) == 0
    assert used < 60 * 2**20
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if "succession" in line]
    assert any("is replaced" in line["message"] for line in lines)
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in deliveries.pids()), 10)
