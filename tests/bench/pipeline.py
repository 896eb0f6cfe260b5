"""How long a picture takes from its planned moment to the browser's socket and to the receiver's 2xx.

The real processes of one node, cameras on loopback, the demo's own detector; every picture has a hit, so each one
becomes a raised or updated event, a push and a signed message. Rows `<stage>_p50_ms` and `<stage>_p95_ms`:

    capture    planned moment of the slot → picture taken
    inference  picture taken → the engine's answer (frame store, queue, decoding, model, rules)
    writer     answer → raw event recorded
    strategy   recorded → verdict traced
    push       verdict → message at the browser's socket
    delivery   verdict → the receiver answers 2xx
    socket, receiver   the whole way from the picture

`frames_per_s`: what came through of 50 cameras looked at every 5 s, and the cores that each process took. Repeats that
wait together are told as one update: then only the last of them has a message of its own.

`--flame FILE` samples the processes for another while and draws where their time goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from portal.launcher import steady
from tests.bench import _flame
from tests.bench._database import own_grounds
from tests.support.http_camera import HttpCamera
from tests.support.receiver import Receiver
from tests.support.road import Road

NEEDS_SERVICES = True
EVERY = 5.0
FLAME_SECONDS = 30
STAGES = ("capture", "inference", "writer", "strategy", "push", "delivery", "socket", "receiver")
Key = tuple[str, int]
Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def run(quick: bool = False, flame: Path | None = None) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}. `flame` is a file for the flame graph."""
    cameras, seconds = (8, 15.0) if quick else (50, 60.0)
    with contextlib.ExitStack() as stack:
        on = stack.enter_context(own_grounds("pipeline"))
        from tests.support.street import street_clip

        http, receiver = stack.enter_context(HttpCamera()), stack.enter_context(Receiver())
        http.add_live("/street.ts", street_clip(on.folder))
        exact = [f"127.0.0.1:{http.port}", receiver.address]
        road = stack.enter_context(started(on.folder, on.database, on.broker, exact))
        return measured(road, http, receiver, on.folder, cameras, seconds, flame)


@contextlib.contextmanager
def started(folder: Path, database: str, broker: str, exact: list[str]) -> Iterator[Road]:
    """All processes, with the data folder of this process."""
    from django.conf import settings

    settings.VANTAGE_OUTBOUND_EXACT = exact
    with Road(
        folder, database=database, broker=broker, data=Path(settings.VANTAGE_DATA), exact=exact
    ) as road:
        yield road.start()


def measured(
    road: Road,
    http: HttpCamera,
    receiver: Receiver,
    folder: Path,
    cameras: int,
    seconds: float,
    flame: Path | None,
) -> list[Row]:
    """Arrange a bureau, let it run, and read the times."""
    from apps.events.models import RawEvent
    from apps.openapi.models import Delivery
    from tests.support.city import City

    city = City(road, "bench")
    task = arrange(city, http, receiver, folder, cameras)
    with Listener(road, city) as listener:
        raws = RawEvent.objects.values("camera").distinct()
        road.until(lambda: raws.count() == cameras, 180.0, "a first hit of each camera")
        since = RawEvent.objects.latest("recorded_at").recorded_at  # models are open and sources known by now
        pids = {name: process.pid for name, process in road.processes.items()}
        before, began = steady.sample(pids), time.monotonic()
        time.sleep(seconds)
        took, after = time.monotonic() - began, steady.sample(pids)
        frames = raws_between(since, took)
        if flame is not None:
            title = f"{cameras} cameras, a picture every {EVERY:g} s, CPU time of each process"
            flame.write_text(
                _flame.draw(_flame.recorded(pids, FLAME_SECONDS, folder), title), encoding="utf-8"
            )
        city.stop(task)
        city.settle()
        road.until(lambda: not Delivery.objects.exclude(state="delivered").exists(), 30.0, "the deliveries")
        told = {key_of(visit.document["data"]): visit.at for visit in list(receiver.visits)}
        samples = collect(since, took, listener.heard, told)
    cores = {f"{name}_cores": round((after[name] - before[name]) / took, 3) for name in before}
    rate = {"name": "frames_per_s", "value": round(frames / took, 2), "goal": None, "ok": None}
    total = round(sum(cores.values()), 2)
    planned = cameras / EVERY
    rate["sides"] = {"planned_per_s": planned, "cameras": cameras, "every_s": EVERY, "cores": total, **cores}
    return [rate, *(row for stage in STAGES for row in rows_of(stage, samples[stage]))]


def raws_between(since: datetime, seconds: float) -> int:
    """Pictures with a hit that were recorded in this time; every picture has one."""
    from apps.events.models import RawEvent

    rows = RawEvent.objects.filter(recorded_at__gt=since, recorded_at__lte=since + timedelta(seconds=seconds))
    return rows.values("camera", "time").distinct().count()


def arrange(city: Any, http: HttpCamera, receiver: Receiver, folder: Path, cameras: int) -> Any:
    """Cameras, detector, strategy, subscription; the task that runs."""
    from apps.accounts.permissions import SYSTEM
    from apps.openapi.services import create_subscription, register_app
    from apps.strategies.services.ensure_default import ensure_default_strategy
    from tests.support.street import ALGORITHM, street_package

    ensure_default_strategy(city.home)
    kind = city.event_type("030101", "有车出现", review_policy="direct")
    version = city.package(street_package(folder), {ALGORITHM: kind})[ALGORITHM]
    app = register_app(by=SYSTEM, organisation=city.home, name="bench")
    create_subscription(by=SYSTEM, app=app, name="hook", endpoint=receiver.url, kinds=("raised", "updated"))
    made = [city.camera(f"camera {number}", http.url("/street.ts")) for number in range(cameras)]
    return city.task("bench", made, [version], sampling="snapshot", interval=EVERY)


@dataclass
class Listener:
    """A browser's socket: what it heard and when, (camera, last seen in ms) → seconds since the epoch."""

    road: Road
    city: Any
    heard: dict[Key, float] = field(default_factory=dict)

    def __enter__(self) -> Listener:
        self._cookie = session_cookie(self.city)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join(10)

    async def _listen(self) -> None:
        url = f"{self.road.url}/ws/live".replace("http://", "ws://")
        headers = {"Origin": self.road.url, "Cookie": f"sessionid={self._cookie}"}
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as pipe:
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    self._hear(await pipe.receive_str(timeout=0.5))

    def _hear(self, text: str) -> None:
        moment = time.time()
        for push in json.loads(text).get("pushes", ()):
            if push["topic"] == "events":
                summary = push["summary"]
                seen = datetime.fromisoformat(summary["last_seen"])
                self.heard.setdefault((summary["camera_id"], milliseconds(seen)), moment)


def session_cookie(city: Any) -> str:
    """A person of the bureau, logged in."""
    from django.test import Client

    from tests.support import factories

    client = Client()
    client.force_login(factories.user(city.home, ("event_reviewer",)))
    return str(client.cookies["sessionid"].value)


def milliseconds(moment: datetime) -> int:
    """Since the epoch, cut: messages name their moments to the millisecond."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def key_of(data: dict[str, Any]) -> Key:
    """(camera, last seen) of a message's data."""
    return data["camera"]["id"], milliseconds(datetime.fromisoformat(data["last_seen"]))


def collect(
    since: datetime, seconds: float, heard: dict[Key, float], told: dict[Key, float]
) -> dict[str, list[float]]:
    """Seconds of each stage for every raw event recorded in this time."""
    from apps.analysis.models import CaptureSlot
    from apps.events.models import RawEvent
    from apps.strategies.models import Trace

    samples: dict[str, list[float]] = {stage: [] for stage in STAGES}
    ran = dict(Trace.objects.values_list("raw_event", "ran_at"))
    until = since + timedelta(seconds=seconds)
    raws = list(RawEvent.objects.filter(recorded_at__gt=since, recorded_at__lte=until, pk__in=ran))
    slots = CaptureSlot.objects.in_bulk([raw.slot_id for raw in raws])
    for raw in raws:
        slot, key = slots[raw.slot_id], (str(raw.camera_id), milliseconds(raw.time))
        taken, recorded = raw.time.timestamp(), raw.recorded_at.timestamp()
        answered = datetime.fromisoformat(raw.context["answered_at"]).timestamp()
        verdict = ran[raw.pk].timestamp()
        samples["capture"].append(taken - slot.planned_at.timestamp())
        samples["inference"].append(answered - taken)
        samples["writer"].append(recorded - answered)
        samples["strategy"].append(verdict - recorded)
        if key in heard:
            samples["push"].append(heard[key] - verdict)
            samples["socket"].append(heard[key] - taken)
        if key in told:
            samples["delivery"].append(told[key] - verdict)
            samples["receiver"].append(told[key] - taken)
    return samples


def rows_of(stage: str, seconds: list[float]) -> list[Row]:
    """The two rows of a stage; without samples their value is None."""
    found: dict[int, float | None] = {50: None, 95: None}
    if len(seconds) > 1:
        cuts = statistics.quantiles(seconds, n=100, method="inclusive")
        found = {part: round(cuts[part - 1] * 1000, 1) for part in found}
    sides = {"samples": len(seconds)}
    return [
        {"name": f"{stage}_p{part}_ms", "value": value, "goal": None, "ok": None, "sides": sides}
        for part, value in found.items()
    ]


if __name__ == "__main__":
    for line in run(quick=True):
        print(line)
