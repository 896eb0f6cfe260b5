"""Prometheus: what the chain page shows, read when a scraper asks. No camera is a label."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.accounts.permissions import SYSTEM
from apps.core import clock
from apps.dispatch.registry import links
from apps.dispatch.selectors import live_nodes

STATES = {"ok": 0, "warning": 1, "down": 2}


class ChainCollector(Collector):
    """Rate, backlog, delay and state of each link; how many nodes live."""

    def describe(self) -> list[Metric]:
        """Nothing is asked of the database when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One round of probes."""
        rate = GaugeMetricFamily("vantage_chain_rate_per_minute", "Work of a link", labels=["link"])
        backlog = GaugeMetricFamily("vantage_chain_backlog", "What waits at a link", labels=["link"])
        delay = GaugeMetricFamily("vantage_chain_delay_seconds", "Age of the oldest waiting", labels=["link"])
        state = GaugeMetricFamily("vantage_chain_state", "0 ok, 1 warning, 2 down", labels=["link"])
        nodes = GaugeMetricFamily("vantage_nodes_alive", "Compute nodes heard of in the last 15 s")
        now = clock.now()
        try:
            for _name, probe in links.items():
                link = probe(now, SYSTEM)
                rate.add_metric([link.key], link.rate)
                backlog.add_metric([link.key], link.backlog)
                delay.add_metric([link.key], link.delay)
                state.add_metric([link.key], STATES[link.state])
            nodes.add_metric([], len(live_nodes(now)))
        except DatabaseError:
            return
        yield from (rate, backlog, delay, state, nodes)


def register() -> None:
    """Once per process."""
    if not any(isinstance(item, ChainCollector) for item in list(REGISTRY._collector_to_names)):
        REGISTRY.register(ChainCollector())
