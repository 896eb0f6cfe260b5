"""How fast messages leave: the sending process against one message after the other, and what a dead endpoint costs.

Real receivers on loopback that answer after 50 ms, the real sending process, rows in PostgreSQL.

    pooled_over_single   messages a second of the process with 100,000 queued for 100 endpoints ÷ the same signed
                         requests one after the other by the same client, without any database. An endpoint is a
                         port with kept connections and at most two requests at a time, as promised (F16): 100
                         endpoints of 50 ms take 4,000 messages a second at the very most. From the first message
                         to the last one at the receivers, without the start of the process
    dead_endpoint_cost   what nine healthy endpoints lose (share of their rate) because a tenth with as many queued
                         messages refuses connections, or accepts and never answers: the worse of the two
    lost_messages        queued and not at the receivers, or there twice
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.bench._database import own_grounds
from tests.support.road import Road, free_port
from tests.support.usage import cpu_seconds
from tests.support.webhook_farm import WebhookFarm

NEEDS_SERVICES = True
WAIT = 0.05
ENDPOINTS = 100
APPS = 20
Row = dict[str, Any]


def run(quick: bool = False) -> list[Row]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    each, single, few = (100, 20, 150) if quick else (1000, 60, 400)
    with contextlib.ExitStack() as stack:
        on = stack.enter_context(own_grounds("delivery"))
        farm = stack.enter_context(WebhookFarm(ports=ENDPOINTS, wait=WAIT))
        silent = stack.enter_context(WebhookFarm(ports=1, hold=True))
        refusing = f"127.0.0.1:{free_port()}"
        allow([*farm.addresses, *silent.addresses, refusing])
        world = World(farm.urls)
        alone = one_by_one(world, single)
        bench = Bench(on.folder, on.database, on.broker, farm, world)
        pooled = bench.pooled(each)
        costs = bench.dead_cost(few, {"refusing": f"http://{refusing}/hook", "silent": silent.urls[0]})
    return [*pooled_rows(pooled, alone), cost_row(costs)]


def allow(exact: Sequence[str]) -> None:
    """These addresses may be reached."""
    from django.conf import settings

    settings.VANTAGE_OUTBOUND_EXACT = list(exact)


class World:
    """A bureau with a camera and its picture, twenty apps, a subscription to each endpoint."""

    def __init__(self, urls: Sequence[str]) -> None:
        from apps.core import clock
        from apps.devices.models import Capture
        from tests.openapi import builders
        from tests.support import factories

        self.organisation = factories.organisation()
        self.camera = factories.camera(self.organisation)
        self.capture = Capture.objects.create(camera=self.camera, time=clock.now(), path="frames/x.jpg")
        self.apps = [builders.app(self.organisation) for _number in range(APPS)]
        self.subscriptions = [self.subscribed(url, number) for number, url in enumerate(urls)]
        self.events: list[Any] = []

    def subscribed(self, url: str, number: int = 0) -> Any:
        """A subscription of one of the apps."""
        from tests.openapi import builders

        return builders.subscription(self.apps[number % APPS], url).subscription

    def event(self) -> Any:
        """An event with a picture."""
        from apps.algorithms.models import AlgorithmVersion, EventType
        from tests.openapi import builders

        more: dict[str, Any] = {"capture_id": self.capture.pk}
        if self.events:  # the same type and version: only the first event makes them
            more |= {"event_type": EventType.objects.get(pk=self.events[0].event_type_id)}
            more |= {
                "algorithm_version": AlgorithmVersion.objects.get(pk=self.events[0].algorithm_version_id)
            }
        return builders.event(self.camera, **more)

    def queue(self, subscriptions: Sequence[Any], each: int) -> int:
        """`each` messages for every subscription, of as many events; returns how many."""
        from django.db import connection

        from apps.openapi.models import Delivery
        from apps.openapi.services.enqueue import delivery_row

        while len(self.events) < each:
            self.events.append(self.event())
        for subscription in subscriptions:
            rows = [delivery_row(subscription, event, "raised") for event in self.events[:each]]
            Delivery.objects.bulk_create(rows, batch_size=1000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE openapi_delivery, events_event")
        return each * len(subscriptions)

    def clear(self) -> None:
        """No messages."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE openapi_attempt, openapi_delivery")


def one_by_one(world: World, count: int) -> float:
    """Messages a second when each waits for the answer to the one before."""
    from apps.core import clock
    from apps.core.ids import uuid7
    from apps.core.outbound.client import GuardedClient
    from apps.openapi.services import Prepared, build_message, open_secrets
    from apps.openapi.services.preparing import send
    from apps.openapi.services.signing import encode_body

    subscription, event = world.subscriptions[0], world.event()
    secrets, until = tuple(open_secrets(subscription)), clock.now() + timedelta(seconds=60)

    def prepared() -> Prepared:
        message = uuid7()
        body = build_message(subscription=subscription, event=event, kind="raised", message=message)
        return Prepared(
            uuid7(), subscription.pk, message, 0, 0, until, subscription.endpoint, encode_body(body), secrets
        )

    items = [prepared() for _number in range(count + 1)]

    async def all_of_them() -> float:
        async with GuardedClient() as client:
            await send(client, items[0])  # the connection stands
            began = time.perf_counter()
            for item in items[1:]:
                outcome = await send(client, item)
                assert outcome.is_success
            return count / (time.perf_counter() - began)

    return asyncio.run(all_of_them())


class Bench:
    """Runs of the real sending process."""

    def __init__(self, folder: Path, database: str, broker: str, farm: WebhookFarm, world: World) -> None:
        self.folder, self.database, self.broker, self.farm, self.world = folder, database, broker, farm, world

    def pooled(self, each: int) -> dict[str, Any]:
        """The rate over the whole backlog, and what came."""
        queued = self.world.queue(self.world.subscriptions, each)
        self.farm.reset()
        with self.process() as road:
            pid = road.processes["courier"].pid
            begun = road.until(lambda: self.farm.report()["count"], 60, "the first message")
            before = cpu_seconds(pid)  # without the start of the process
            road.until(lambda: self.farm.report()["count"] >= queued, 170, "the backlog")
            used = (cpu_seconds(pid) - before) / (queued - begun)
            road.until(lambda: not unfinished(), 30, "the outcomes")
        found = self.farm.report()
        took = found["last"] - found["first"]
        self.world.clear()
        return {**found, "queued": queued, "rate": found["count"] / took, "seconds": took, "cpu_each": used}

    def dead_cost(self, each: int, dead: dict[str, str]) -> dict[str, float]:
        """Seconds that nine healthy endpoints need: alone, and beside a dead one of each kind."""
        healthy = self.world.subscriptions[:9]
        found = {"alone": self._nine(healthy, each, None)}
        for name, url in dead.items():
            found[name] = self._nine(healthy, each, self.world.subscribed(url))
        return found

    def _nine(self, healthy: Sequence[Any], each: int, dead: Any | None) -> float:
        queued = self.world.queue(healthy, each)
        if dead is not None:
            self.world.queue([dead], len(self.world.events))
        self.farm.reset()
        with self.process() as road:
            road.until(lambda: self.farm.report()["count"] >= queued, 120, "nine endpoints")
            found = self.farm.report()
        self.world.clear()
        return float(found["last"] - found["first"])

    @contextlib.contextmanager
    def process(self) -> Iterator[Road]:
        """The sending process alone."""
        from django.conf import settings

        exact, data = settings.VANTAGE_OUTBOUND_EXACT, Path(settings.VANTAGE_DATA)
        with Road(
            self.folder,
            database=self.database,
            broker=self.broker,
            data=data,
            exact=exact,
            names=("courier",),
        ) as road:
            road.run.mkdir(mode=0o700, parents=True, exist_ok=True)
            road._launch("courier")
            yield road


def unfinished() -> bool:
    """Whether a row still waits for its outcome."""
    from apps.openapi.models import Delivery

    return Delivery.objects.exclude(state="delivered").exists()


def pooled_rows(found: dict[str, Any], single: float) -> list[Row]:
    """Rate and completeness."""
    from workers.lanes import CONCURRENCY

    ratio = found["rate"] / single
    sides = {
        "pooled_per_s": round(found["rate"]), "single_per_s": round(single, 1), "queued": found["queued"],
        "endpoints": ENDPOINTS, "seconds": round(found["seconds"], 1),
        "at_once_per_endpoint": CONCURRENCY, "sender_us_per_message": round(found["cpu_each"] * 1e6),
    }  # fmt: skip
    wrong = found["queued"] - found["unique"] + found["count"] - found["unique"]
    return [
        {"name": "pooled_over_single", "value": round(ratio, 1), "goal": 100, "ok": ratio >= 100, "sides": sides},
        {
            "name": "lost_messages", "value": wrong, "goal": 0, "ok": wrong == 0,
            "sides": {"came": found["count"], "different": found["unique"]},
        },
    ]  # fmt: skip


def cost_row(seconds: dict[str, float]) -> Row:
    """The worse of the two kinds of death."""
    alone = seconds["alone"]
    costs = {name: 1 - alone / took for name, took in seconds.items() if name != "alone"}
    worst = max(costs.values())
    sides = {f"{name}_s": round(took, 2) for name, took in seconds.items()}
    sides |= {f"{name}_cost": round(cost, 4) for name, cost in costs.items()}
    return {
        "name": "dead_endpoint_cost",
        "value": round(worst, 4),
        "goal": 0.05,
        "ok": worst < 0.05,
        "sides": sides,
    }


if __name__ == "__main__":
    for line in run("--quick" in sys.argv):
        print(json.dumps(line))
