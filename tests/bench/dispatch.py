"""Handing out work: images a second through the broker and the real inference task, and what planning costs.

Images: slots that are captured already, their frames in memory; the messages go through the real broker to the real
Celery worker (two processes), whose task leases the slots, asks an engine over its socket, and hands the results to
the writer's list. The engine runs no model (`_noop_engine`), so that everything else is what is measured.

    images_per_s         batches of 32, as the planner and the capture workers send them; sustained, no frame decoded
    batch_over_single    the same ÷ one message an image
    images_per_s_decoding  the engine decodes each 1080p JPEG in full

Planner: 100,000 snapshot executions on 25,000 cameras, one picture a minute each, and 5,000 live ones in the tables;
the real beat every half second; what it hands out is finished between the beats, as by workers that keep up.
`planner_core_share` is the CPU of this process in those beats and in the placement of the live ones every two seconds;
`start_jitter_p99` how late a slot is handed out, as a share of its interval.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench._database import own_database, prepare_django
from tests.support.road import Road, accepts, claimed_broker, served_here

NEEDS_SERVICES = True
ROOT = Path(__file__).resolve().parents[2]
BATCH, CAMERAS = 32, 500
FRAMES = 64
SNAPSHOTS, LIVE, PLACES = 100_000, 5_000, 25_000
INTERVAL = 60.0
BEAT = 0.5
WAITING_MESSAGES = 60
GOALS = {
    "images_per_s": 1_000.0,
    "batch_over_single": 15.0,
    "planner_core_share": 0.05,
    "start_jitter_p99": 1.0,
}
AT_LEAST = {"images_per_s", "batch_over_single"}
Row = dict[str, Any]


def run(quick: bool = False) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    with contextlib.ExitStack() as stack:
        shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="vantage-dispatch-", dir=shared))
        )
        database = stack.enter_context(own_database(os.environ["DATABASE_URL"]))
        broker = stack.enter_context(claimed_broker(os.environ["REDIS_URL"]))
        os.environ.update(DATABASE_URL=database, REDIS_URL=broker)
        prepare_django()
        stack.enter_context(served_here(broker))
        rows = images(folder, database, broker, seconds=10.0 if quick else 60.0)
        rows += planning(seconds=10.0 if quick else 60.0)
    return rows


def row(name: str, value: float, **sides: Any) -> Row:
    """One result; ok where the value is on the right side of its goal."""
    goal = GOALS.get(name)
    is_ok = None if goal is None else (value >= goal if name in AT_LEAST else value <= goal)
    return {"name": name, "value": value, "goal": goal, "ok": is_ok, "sides": sides}


# --- images ------------------------------------------------------------------------------------------------------


def images(folder: Path, database: str, broker: str, seconds: float) -> list[Row]:
    """Three runs through one worker."""
    from django.conf import settings

    frames = pictures(folder)
    line = Line(arranged(), frames)
    with Road(
        folder, database=database, broker=broker, data=Path(settings.VANTAGE_DATA), names=["analysis"]
    ) as road:
        road.start()
        socket = road.run / "engine.sock"
        with engine(socket):
            batches = line.measure(seconds, size=BATCH)
            single = line.measure(max(4.0, seconds / 6), size=1)
        with engine(socket, "decode"):
            decoding = line.measure(max(4.0, seconds / 6), size=BATCH)
    return [
        row("images_per_s", batches["images_per_s"], **batches),
        row(
            "batch_over_single",
            round(batches["images_per_s"] / single["images_per_s"], 2),
            batch_per_s=batches["images_per_s"],
            single_per_s=single["images_per_s"],
            batch=BATCH,
        ),
        row("images_per_s_decoding", decoding["images_per_s"], **decoding, picture="1920x1080 JPEG"),
    ]


def pictures(folder: Path) -> list[str]:
    """Frames as the capture workers leave them."""
    import cv2
    import numpy as np

    chance = np.random.default_rng(7)
    places = []
    for number in range(FRAMES):
        rough = chance.integers(0, 255, (68, 120, 3), np.uint8)
        places.append(str(folder / f"frame-{number}.jpg"))
        cv2.imwrite(places[-1], cv2.resize(rough, (1920, 1080), interpolation=cv2.INTER_CUBIC))
    return places


@contextlib.contextmanager
def engine(socket: Path, *options: str) -> Iterator[None]:
    """The engine without a model, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench._noop_engine", str(socket), *options]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        ends = time.monotonic() + 30
        while not accepts(socket):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the engine without a model did not start")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def arranged() -> None:
    """Cameras with one running execution each."""
    from apps.analysis.models import Execution
    from tests.support import factories

    home, version = factories.organisation(), factories.algorithm_version()
    package = version.packages.get()
    rows = []
    for number, camera in enumerate(cameras(home, CAMERAS)):
        execution = Execution(
            key=f"{number:064x}", camera=camera, version=version, package=package, sampling="snapshot",
            interval=1.0, state="running",
        )  # fmt: skip
        execution.spec = {"execution": str(execution.pk), "camera": str(camera.pk), "algorithm": "none"}
        rows.append(execution)
    Execution.objects.bulk_create(rows)


def cameras(home: Any, number: int) -> list[Any]:
    """Cameras of a bureau."""
    from apps.devices.models import Camera

    rows = [
        Camera(name=f"点位{place}", managing_organisation=home, longitude=120, latitude=30)
        for place in range(number)
    ]
    return Camera.objects.bulk_create(rows, batch_size=5_000)


KEPT_RESULTS = 20_000
"""Results that may lie there uncounted; the product keeps ten times as many for a writer that is away."""


class Line:
    """Feeds the queue and counts what comes out at the writer's end."""

    def __init__(self, _arranged: None, frames: list[str]) -> None:
        self.frames = frames
        self._moment = datetime(2026, 1, 1, tzinfo=UTC)

    def measure(self, seconds: float, *, size: int) -> dict[str, Any]:
        """Images a second over `seconds`, after two seconds to fill the pipes; the slowest five of them too."""
        from apps.core.wake import client
        from workers.writer.results import WAITING

        redis, slots = client(), self._slots(size)
        redis.delete(WAITING, "inference.cpu")
        marks: list[tuple[float, int]] = []
        taken = 0
        began = time.monotonic()
        while (now := time.monotonic()) < began + seconds + 2:
            waiting = int(redis.llen("inference.cpu"))
            for _ in range(WAITING_MESSAGES - waiting):
                next(slots)
            done = int(redis.llen(WAITING))
            if now >= began + 2:
                marks.append((now, taken + done))
            if done > KEPT_RESULTS:  # as a writer would: the list itself is bounded
                redis.ltrim(WAITING, 0, -done - 1)
                taken += done
            time.sleep(0.02)
        self._settle()
        rate = (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])
        return {"images_per_s": round(rate), "slowest_5_s": round(_slowest(marks)), "seconds": seconds}

    def _slots(self, size: int) -> Iterator[int]:
        """Each step sends one message with `size` fresh slots; rows are made twenty thousand at a time."""
        from workers.inference import infer_slots

        while True:
            ids = self._insert(20_000)
            for start in range(0, len(ids) - size + 1, size):
                infer_slots.apply_async((ids[start : start + size],), expires=600)
                yield size

    def _insert(self, number: int) -> list[str]:
        from django.conf import settings
        from django.db import connection

        self._moment += timedelta(hours=1)
        values = {
            "frames": self.frames, "node": settings.VANTAGE_NODE, "number": number, "moment": self._moment,
            "count": len(self.frames),
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_SLOTS_SQL, values)
            return [str(identifier) for (identifier,) in cursor.fetchall()]

    def _settle(self) -> None:
        """Let what is on its way arrive, so that the next run begins with empty pipes."""
        from apps.core.wake import client
        from workers.writer.results import WAITING

        client().delete("inference.cpu")
        before = -1
        while (now := int(client().llen(WAITING))) != before:
            before = now
            time.sleep(0.5)


_SLOTS_SQL = """
WITH places AS (SELECT e.id AS execution, e.camera_id, row_number() OVER (ORDER BY e.id) - 1 AS number
                FROM analysis_execution e)
INSERT INTO analysis_captureslot (id, camera_id, preset, planned_at, deadline, executions, state, reason, captured_at,
    frame, node, fence, attempts, open, results)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 4, 15))::uuid, p.camera_id, 0, at, now() + interval '1 hour', ARRAY[p.execution],
    'captured', '', at, (%(frames)s::text[])[1 + n %% %(count)s], %(node)s, 0, 0, 1, '{}'
FROM generate_series(1, %(number)s) AS n
JOIN places p ON p.number = n %% (SELECT count(*) FROM places),
    LATERAL (SELECT %(moment)s + n * interval '0.1 second' AS at) AS t
RETURNING id
"""


def _slowest(marks: list[tuple[float, int]], seconds: float = 5.0) -> float:
    """The lowest rate over `seconds`."""
    rates, start = [], 0
    for at, count in marks:
        while at - marks[start][0] > seconds:
            start += 1
        if at - marks[start][0] > seconds * 0.9:
            rates.append((count - marks[start][1]) / (at - marks[start][0]))
    return min(rates, default=0.0)


# --- planning ----------------------------------------------------------------------------------------------------


def planning(seconds: float) -> list[Row]:
    """The real planner's beats over a city's executions."""
    from apps.analysis.planner.tick import Planner
    from apps.analysis.services import sync_when_changed
    from apps.core import clock
    from apps.dispatch.services import place

    city()
    planner = Planner()
    first: list[Any] = []
    loading = cpu(lambda: first.append(planner.tick(clock.now())))
    finish(first[0])
    for _ in range(int(15 / BEAT)):  # what nobody planned before the start is handed out by then
        finish(planner.tick(clock.now()))
        time.sleep(BEAT)
    lateness: list[float] = []
    beats: list[float] = []
    placing: list[float] = []
    handed = planned = 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        started, used = time.monotonic(), time.process_time()
        tick = planner.tick(clock.now())
        beats.append(time.process_time() - used)
        now = clock.now()
        planned += tick.planned
        for batch in tick.capture:
            handed += len(batch)
            lateness += [(now - moment).total_seconds() for moment in planned_at(batch)]
        finish(tick)
        if len(beats) % 4 == 0:
            placing.append(cpu(lambda: place(clock.now())))
        time.sleep(max(0.0, BEAT - (time.monotonic() - started)))
    share = (sum(beats) + sum(placing)) / seconds
    full = cpu(sync_when_changed)
    sync_when_changed()  # the first one's own changes
    late = statistics.quantiles(lateness, n=100, method="inclusive")
    return [
        row(
            "planner_core_share", round(share, 4), slots_planned_per_s=round(planned / seconds, 1),
            slots_handed_per_s=round(handed / seconds, 1), beat_ms=round(statistics.mean(beats) * 1000, 2),
            longest_beat_ms=round(max(beats) * 1000, 1), load_s=round(loading, 2),
            beats_core_share=round(sum(beats) / seconds, 4), placement_core_share=round(sum(placing) / seconds, 4),
            snapshots=SNAPSHOTS, live=LIVE, interval_s=INTERVAL,
        ),
        row(
            "start_jitter_p99", round(late[98] / INTERVAL, 4), p50_s=round(late[49], 3), p99_s=round(late[98], 3),
            longest_s=round(max(lateness), 3), histogram_s=histogram(lateness), interval_s=INTERVAL,
        ),
        row(
            "sync_core_share", round(cpu(sync_when_changed) / 30, 4), full_s=round(full, 2),
            note="every 30 s; in full only where something changed",
        ),
    ]  # fmt: skip


def finish(tick: Any) -> None:
    """What workers and writer make of slots that were handed out; other processes, so nothing of it is counted."""
    from django.db import connection

    ids = [identifier for batch in tick.capture for identifier in batch]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_captureslot SET state = 'captured', open = 0, lease_until = NULL WHERE id = ANY(%s)",
            [ids],
        )


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    used = time.process_time()
    work()
    return time.process_time() - used


def planned_at(ids: list[Any]) -> list[datetime]:
    """When these slots were planned: the moment inside the id."""
    from apps.core.ids import id_time

    return [id_time(identifier) for identifier in ids]


def histogram(values: list[float]) -> dict[str, int]:
    """How many lie below each bound, in seconds."""
    bounds = (0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0, 15.0)
    counts: dict[str, int] = {}
    low = 0.0
    for bound in bounds:
        counts[f"<{bound:g}"] = sum(low <= value < bound for value in values)
        low = bound
    counts[f">={bounds[-1]:g}"] = sum(value >= bounds[-1] for value in values)
    return counts


def city() -> None:
    """Tables of a city: 25,000 cameras, four algorithms on each by snapshots, live ones on some; all running."""
    from django.db import connection

    from apps.analysis.models import AnalysisTask, Execution
    from apps.core import clock
    from apps.dispatch.models import ComputeNode
    from tests.support import factories

    Execution.objects.all().delete()
    home = factories.organisation()
    cameras(home, PLACES)
    plan = factories.plan(home)
    versions = [factories.algorithm_version() for _ in range(SNAPSHOTS // PLACES)]
    ComputeNode.objects.create(name="node-1", heartbeat_at=clock.now() + timedelta(hours=1))
    tasks = [
        AnalysisTask.objects.create(
            name=sampling, organisation=home, plan=plan, sampling=sampling, interval=interval, state="running"
        )
        for sampling, interval in (("snapshot", INTERVAL), ("fps", 0.2))
    ]
    with connection.cursor() as cursor:
        for place, version in enumerate(versions):
            package = version.packages.get().pk
            values = {"version": version.pk, "package": package, "task": tasks[0].pk, "home": home.pk}
            cursor.execute(
                _EXECUTIONS_SQL,
                {**values, "sampling": "snapshot", "interval": INTERVAL, "most": PLACES, "mark": f"s{place}"},
            )
        values |= {"task": tasks[1].pk}
        cursor.execute(
            _EXECUTIONS_SQL, {**values, "sampling": "fps", "interval": 0.2, "most": LIVE, "mark": "live"}
        )
        cursor.execute("ANALYZE")


_EXECUTIONS_SQL = """
WITH places AS (SELECT id FROM devices_camera WHERE managing_organisation_id = %(home)s ORDER BY id LIMIT %(most)s),
made AS (
    INSERT INTO analysis_execution (id, created_at, updated_at, key, camera_id, preset, version_id, package_id,
        sampling, interval, spec, state, state_reason, node, lease_until, fence, last_outcome, last_reason)
    SELECT gen_random_uuid(), now(), now(), md5(p.id::text || %(mark)s), p.id, 0, %(version)s, %(package)s,
        %(sampling)s, %(interval)s, '{}', 'running', '', 'node-1', now() + interval '1 hour', 1, '', '' FROM places p
    RETURNING id, camera_id)
INSERT INTO analysis_analysisunit (id, task_id, camera_id, preset, version_id, execution_id, waiting_reason)
SELECT gen_random_uuid(), %(task)s, camera_id, 0, %(version)s, id, '' FROM made
"""


if __name__ == "__main__":
    for line in run(quick=True):
        print(line)
