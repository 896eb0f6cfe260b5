"""The processes of a node as a Django app: it has commands and no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class WorkersConfig(AppConfig):
    name = "workers"
    label = "workers"

    def ready(self) -> None:
        from apps.core import periodic
        from apps.dispatch.registry import frame_stages, links
        from workers.node import chain, frame, traces

        links.add("5-strategy", chain.strategy_link)
        links.add("7-push", chain.push_link)
        frame_stages.add("4-judge", frame.judge_stages)
        frame_stages.add("7-delivery", frame.delivery_stages)
        if settings.VANTAGE_OTLP_ENDPOINT:
            periodic.schedule.add("traces.export", periodic.Periodic(traces.export, 10))
