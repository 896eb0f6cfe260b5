"""News of lower rooms that the open platform answers with rows of its own."""

from __future__ import annotations

from typing import Any

from apps.openapi.services import enqueue_event, sync_services


def on_event_changed(sender: Any, event: Any, kind: str, **more: Any) -> None:
    """One delivery per matching subscription, in the transaction of the change."""
    enqueue_event(event=event, kind=kind)


def after_migrate(sender: Any, apps: Any = None, **more: Any) -> None:
    """The catalogue of services follows the scopes; there is none where migrations went back to before it."""
    if apps is None or "service" in apps.all_models["openapi"]:
        sync_services()
