"""The processes of a node as a Django app: it has commands and no models."""

from __future__ import annotations

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
    label = "workers"

    def ready(self) -> None:
        from apps.dispatch.registry import links
        from workers.node import chain

        links.add("5-strategy", chain.strategy_link)
        links.add("7-push", chain.push_link)
