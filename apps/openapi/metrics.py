"""Prometheus: what waits to be delivered and what came of the last attempts, read when a scraper asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.core import clock
from apps.openapi.choices import DeliveryState, EndpointState
from apps.openapi.selectors import attempts_since, endpoints_by_state, waiting_by_state

WINDOW = timedelta(minutes=5)
WAITING = (DeliveryState.QUEUED, DeliveryState.RETRYING)


class DeliveryCollector(Collector):
    """Deliveries that wait and the age of the oldest, attempts of the last five minutes, endpoints: no names."""

    def describe(self) -> list[Metric]:
        """Nothing is asked of the database when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One round of questions, all answered by indexes."""
        waiting = GaugeMetricFamily("vantage_deliveries_waiting", "Messages that wait", labels=["state"])
        lag = GaugeMetricFamily(
            "vantage_deliveries_oldest_lag_seconds", "How long the oldest one is overdue", labels=["state"]
        )
        tried = GaugeMetricFamily(
            "vantage_delivery_attempts_5m", "Attempts of the last five minutes", labels=["outcome"]
        )
        endpoints = GaugeMetricFamily("vantage_delivery_endpoints", "Subscriptions", labels=["state"])
        now = clock.now()
        try:
            found = waiting_by_state(now)
            for state in WAITING:
                count, seconds = found.get(state, (0, 0.0))
                waiting.add_metric([state.value], count)
                lag.add_metric([state.value], seconds)
            for outcome, count in attempts_since(now - WINDOW).items():
                tried.add_metric([outcome], count)
            counts = endpoints_by_state()
            for one in EndpointState:
                endpoints.add_metric([one.value], counts.get(one.value, 0))
        except DatabaseError:
            return
        yield from (waiting, lag, tried, endpoints)


def register() -> None:
    """Once per process."""
    if not any(isinstance(item, DeliveryCollector) for item in list(REGISTRY._collector_to_names)):
        REGISTRY.register(DeliveryCollector())
