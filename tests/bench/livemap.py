"""What it costs to tell many open pages: the hub against stock Channels `group_send`, and how soon a page hears.

The real ASGI server and 1,000 WebSocket clients with a session each, on loopback; 50 pushes every 100 ms, heard by all.

    hub_over_group_send  server CPU per delivered frame (the pushes of one tick): the hub ÷ stock group_send of the
                         same text, same server, same options (the hub compresses it once for all)
    p99_ms               from publishing to the client, of the oldest push in each frame (the tick waits up to 100 ms)
    server_cores         the web process while it does that
    lost_events          pushes that should have come and did not
    never_reading_mb     growth of the web process while ten more clients never read
    never_reading_p99    p99 of the others meanwhile ÷ p99 before
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench._database import own_grounds
from tests.support.browsers import Browsers
from tests.support.road import WEB, Road, free_port
from tests.support.usage import cpu_seconds, resident

NEEDS_SERVICES = True
TICK_SECONDS = 0.1
EVENTS_PER_TICK = 50
NEVER_READING = 10
Row = dict[str, Any]


def run(quick: bool = False) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    clients, seconds = (200, 5.0) if quick else (1000, 12.0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with own_grounds("livemap") as on:
        hub = hub_side(on.folder, on.database, on.broker, clients, seconds)
        stock = stock_side(on.folder, on.broker, clients, seconds)
    return rows(hub, stock)


@dataclass
class Side:
    """One server under load: seconds measured, its CPU seconds, what the clients report."""

    seconds: float
    cpu: float
    sent: int
    clients: dict[str, Any]
    more: dict[str, float] = field(default_factory=dict)

    @property
    def per_frame(self) -> float:
        """Server CPU per delivered frame, in µs."""
        return self.cpu / max(1, self.clients["frames"]) * 1e6


def hub_side(folder: Path, database: str, broker: str, clients: int, seconds: float) -> Side:
    """The portal's own web process and hub."""
    from django.conf import settings

    data = Path(settings.VANTAGE_DATA)
    with Road(folder, database=database, broker=broker, data=data, names=("web",)) as road:
        road.start()
        topics, cookies = people(clients)
        feed, pid = HubFeed(topics), road.processes["web"].pid
        crowd = stack_of(road.port, "/ws/live?deflate=1", cookies, road.url)
        with crowd as browsers:
            browsers.wait_open(120)
            side = measured(browsers, feed, pid, seconds)
            before = resident(pid)
            with stack_of(
                road.port, "/ws/live?deflate=1", cookies[:NEVER_READING], road.url, reads=False
            ) as silent:
                silent.wait_open(30)
                burdened = measured(browsers, feed, pid, seconds)
                side.more = {
                    "never_reading_mb": (resident(pid) - before) / 1e6,
                    "burdened_p99_ms": burdened.clients["p99_ms"],
                    "resident_mb": resident(pid) / 1e6,
                }
        return side


def stock_side(folder: Path, broker: str, clients: int, seconds: float) -> Side:
    """The same server and options with a stock consumer."""
    port = free_port()
    command = [*WEB, "--port", str(port)]
    command[command.index("portal.asgi:application")] = "tests.support.stock_group:application"
    with (folder / "stock.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "REDIS_URL": broker})
    try:
        wait_for_port(port)
        with stack_of(port, "/", [""] * clients, f"http://127.0.0.1:{port}") as browsers:
            browsers.wait_open(120)
            return measured(browsers, GroupFeed(), server.pid, seconds)
    finally:
        server.terminate()
        server.wait(20)


def stack_of(port: int, path: str, cookies: list[str], origin: str, *, reads: bool = True) -> Browsers:
    """A crowd with these sessions."""
    return Browsers(port=port, path=path, cookies=cookies, origin=origin, reads=reads)


def people(clients: int) -> tuple[list[str], list[str]]:
    """(topics that all of them hear, one session cookie each): users of ten bureaus under one city."""
    from importlib import import_module

    from django.conf import settings
    from django.test import Client

    from tests.support import factories

    city = factories.organisation()
    bureaus = [factories.organisation(city) for _number in range(10)]
    store = import_module(settings.SESSION_ENGINE).SessionStore
    cookies: list[str] = []
    while len(cookies) < clients:
        client = Client()
        client.force_login(factories.user(city, ("operator",)))
        first = client.session
        cookies.append(str(first.session_key))
        for _copy in range(min(9, clients - len(cookies))):
            own = store()
            own.update(dict(first.items()))
            own.create()
            cookies.append(str(own.session_key))
    return [f"m:{bureau.pk}" for bureau in bureaus], cookies


class HubFeed:
    """What the relay publishes after the commit of a batch of 50 pushes."""

    def __init__(self, topics: list[str]) -> None:
        from apps.core.wake import client

        self._client, self._topics, self._seq = client(), topics, 0

    def tick(self) -> int:
        """Publish one tick; returns its pushes."""
        from apps.core.realtime.push import Note, push_channel, written_notes

        moment, notes = time.time(), []
        for _number in range(EVENTS_PER_TICK):
            self._seq += 1
            topic = self._topics[self._seq % len(self._topics)]
            notes.append(Note(self._seq, [topic, f"c:{self._seq % 500}"], event_text(self._seq, moment)))
        for message in written_notes(notes):
            self._client.publish(push_channel(), message)
        return EVENTS_PER_TICK


class GroupFeed:
    """One `group_send` a tick with the frame that the hub would make of it."""

    def __init__(self) -> None:
        from channels.layers import get_channel_layer

        self._loop, self._layer, self._seq = asyncio.new_event_loop(), get_channel_layer(), 0

    def tick(self) -> int:
        """Send one tick; returns its pushes."""
        from apps.core.realtime.hub import frame
        from tests.support.stock_group import GROUP

        moment, first = time.time(), self._seq + 1
        self._seq += EVENTS_PER_TICK
        text = frame([event_text(seq, moment) for seq in range(first, self._seq + 1)])
        self._loop.run_until_complete(self._layer.group_send(GROUP, {"type": "told", "text": text}))
        return EVENTS_PER_TICK


def event_text(seq: int, moment: float) -> str:
    """A push of the size and shape of an event's (apps/events/services/summary.py), with the moment in `t`."""
    return json.dumps(
        {
            "seq": seq, "topic": "events", "kind": "raised", "object": f"019aa000-0000-7000-8000-{seq:012d}",
            "summary": {
                "t": round(moment, 4), "id": f"019aa000-0000-7000-8000-{seq:012d}", "code": "010101",
                "name": "暴露垃圾", "name_zh": "暴露垃圾", "name_en": "Exposed garbage", "level": "general",
                "camera_id": "019aa000-0000-7000-8000-000000000001", "camera_name": "人民路与解放路口东北角",
                "place": "人民路 18 号", "lon": 120.123456, "lat": 30.123456,
                "time": "2026-11-21T03:00:00.000000+00:00",
                "last_seen": "2026-11-21T03:00:00.000000+00:00", "ended_at": None, "occurrences": 1, "score": 0.91,
                "algorithm": "暴露垃圾检测", "review_state": "pending", "state": "pending",
                "picture": "019aa000-0000-7000-8000-000000000002",
            },
            "at": "2026-11-21T03:00:00.000000+00:00",
        },
        separators=(",", ":"),
    )  # fmt: skip


def measured(browsers: Browsers, feed: Any, pid: int, seconds: float) -> Side:
    """Feed for a moment, then measure for `seconds`, then let the last frames come."""
    fed(feed, 1.0)
    time.sleep(0.5)
    browsers.reset()
    began, before = time.monotonic(), cpu_seconds(pid)
    sent = fed(feed, seconds)
    time.sleep(0.6)
    used, took = cpu_seconds(pid) - before, time.monotonic() - began
    settled(browsers)
    return Side(took, used, sent, browsers.report())


def fed(feed: Any, seconds: float) -> int:
    """Ten ticks a second for `seconds`; returns the pushes sent."""
    began, sent = time.monotonic(), 0
    for number in range(round(seconds / TICK_SECONDS)):
        time.sleep(max(0.0, began + number * TICK_SECONDS - time.monotonic()))
        sent += feed.tick()
    return sent


def settled(browsers: Browsers) -> None:
    """Wait until no more frames come (at most 20 s)."""
    last = -1
    for _round in range(40):
        found = browsers.report()["frames"]
        if found == last:
            return
        last = found
        time.sleep(0.5)


def wait_for_port(port: int, seconds: float = 30.0) -> None:
    """Until something answers there."""
    from portal.launcher import readiness

    ends = time.monotonic() + seconds
    while not readiness.answers_ok(port, "/"):
        assert time.monotonic() < ends, "the stock server does not answer"
        time.sleep(0.1)


def rows(hub: Side, stock: Side) -> list[Row]:
    """The report."""
    heard, clients = hub.clients, hub.clients["opened"]
    expected = hub.sent * clients
    p99, burdened = heard["p99_ms"], hub.more["burdened_p99_ms"]
    frames = {
        "clients": clients,
        "frames": heard["frames"],
        "bytes_per_frame": heard["bytes"] // heard["frames"],
    }
    return [
        row(
            "hub_over_group_send", hub.per_frame / stock.per_frame, lambda value: value <= 0.25, 0.25,
            hub_us=round(hub.per_frame, 1), stock_us=round(stock.per_frame, 1), stock_frames=stock.clients["frames"],
            stock_p99_ms=stock.clients["p99_ms"], **frames,
        ),
        row(
            "p99_ms", p99, lambda value: value <= 200, 200, p50_ms=heard["p50_ms"], max_ms=heard["max_ms"],
            frames_per_second=round(heard["frames"] / hub.seconds),
        ),
        row("server_cores", hub.cpu / hub.seconds, lambda value: value <= 0.5, 0.5, cpu_seconds=hub.cpu),
        row(
            "lost_events", expected - heard["events"], lambda value: value == 0, 0, expected=expected,
            gaps=heard["gaps"],
        ),
        row(
            "never_reading_mb", hub.more["never_reading_mb"], lambda value: value <= 16, 16,
            clients=NEVER_READING, resident_mb=hub.more["resident_mb"],
        ),
        row(
            "never_reading_p99", burdened / p99, lambda value: value <= 1.5, 1.5, p99_ms=p99, burdened_p99_ms=burdened,
        ),
    ]  # fmt: skip


def row(name: str, value: float, check: Callable[[float], bool], goal: float, **sides: Any) -> Row:
    """One result."""
    tidy = {key: round(side, 2) if isinstance(side, float) else side for key, side in sides.items()}
    return {"name": name, "value": round(value, 4), "goal": goal, "ok": check(value), "sides": tidy}


def lines() -> Iterator[str]:
    """For `python -m tests.bench.livemap [--quick]`."""
    for found in run("--quick" in sys.argv):
        yield json.dumps(found)


if __name__ == "__main__":
    for line in lines():
        print(line)
