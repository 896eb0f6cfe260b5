"""What may be done in the strategies room, a verb per file."""

from apps.strategies.services.bind import bind, unbind
from apps.strategies.services.draft import check_strategy, create_strategy, save_draft
from apps.strategies.services.ensure_default import ensure_default_strategy
from apps.strategies.services.pending import run_pending
from apps.strategies.services.publish import (
    GraphRefused,
    publish_strategy,
    start_strategy,
    stop_strategy,
)
from apps.strategies.services.queue import queue_runs, retry_failed

__all__ = [
    "GraphRefused",
    "bind",
    "check_strategy",
    "create_strategy",
    "ensure_default_strategy",
    "publish_strategy",
    "queue_runs",
    "retry_failed",
    "run_pending",
    "save_draft",
    "start_strategy",
    "stop_strategy",
    "unbind",
]
