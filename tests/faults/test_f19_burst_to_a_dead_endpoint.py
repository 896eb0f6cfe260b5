"""F19: 100,000 messages wait for a dead endpoint: nine healthy ones get theirs within 5 s, memory and table stay."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery
from tests.openapi import builders
from tests.support import factories
from tests.support.road import Road, address_of, claimed_broker, free_port
from tests.support.usage import resident
from tests.support.webhook_farm import WebhookFarm

ROWS, HEALTHY, ROUNDS = 100_000, 9, 15


@pytest.mark.slow_fault
@pytest.mark.django_db(transaction=True)
def test_f19_nobody_waits_behind_a_dead_endpoint(tmp_path: Path, outbound_exact: list[str]) -> None:
    dead_address = f"127.0.0.1:{free_port()}"
    with WebhookFarm(ports=HEALTHY) as farm, claimed_broker(os.environ["REDIS_URL"]) as broker:
        outbound_exact += [dead_address, *farm.addresses]
        organisation = factories.organisation()
        camera = factories.camera(organisation)
        dead = builders.subscription(builders.app(organisation), f"http://{dead_address}/hook").subscription
        event = builders.event(camera)
        burst(dead, event)
        healthy = [builders.subscription(builders.app(organisation), url).subscription for url in farm.urls]
        road = Road(
            tmp_path, database=address_of(connection.settings_dict), broker=broker,
            data=Path(settings.VANTAGE_DATA), exact=outbound_exact, names=("courier",),
        )  # fmt: skip
        with road:
            road.run.mkdir(mode=0o700, parents=True, exist_ok=True)
            road._launch("courier")
            road.until(
                lambda: Attempt.objects.filter(delivery__subscription=dead).exists(), 60, "a first failure"
            )
            pid = road.processes["courier"].pid
            before = resident(pid)
            for number in range(1, ROUNDS + 1):
                fresh = builders.event(camera, event_type=event.event_type)
                event_changed.send(sender=type(fresh), event=fresh, kind="raised", phase="new")
                road.until(
                    lambda number=number: farm.report()["count"] >= number * HEALTHY, 20, "the healthy ones"
                )
                time.sleep(0.3)
            grown = resident(pid) - before
            road.until(lambda: delivered(healthy) == ROUNDS * HEALTHY, 20, "the outcomes")
        report = farm.report()
    lags = [
        (at - queued).total_seconds()
        for queued, at in Delivery.objects.filter(subscription__in=healthy).values_list(
            "created_at", "delivered_at"
        )
    ]
    assert max(lags) < 5.0
    assert report["unique"] == report["count"] == ROUNDS * HEALTHY, "acknowledged is what was delivered"
    assert grown < 60e6
    waiting = Delivery.objects.filter(subscription=dead).count()
    assert ROWS <= waiting <= ROWS + ROUNDS, "the queue holds what was queued and nothing more"
    assert Attempt.objects.filter(delivery__subscription=dead).count() < 100, "the breaker leaves it alone"


def burst(subscription: Any, event: Any) -> None:
    """ROWS due messages in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO openapi_delivery (id, subscription_id, message, kind, event_id, state, created_at, due_at, "
            "attempts, fence, last_error) "
            "SELECT gen_random_uuid(), %s, gen_random_uuid(), 'raised', %s, 'queued', now(), %s, 0, 0, '' "
            "FROM generate_series(1, %s)",
            [subscription.pk, event.pk, clock.now() - timedelta(minutes=5), ROWS],
        )


def delivered(subscriptions: list[Any]) -> int:
    return Delivery.objects.filter(subscription__in=subscriptions, state="delivered").count()
