"""Shaped reads of the open platform."""

from apps.openapi.selectors.explanation import Stage, explain
from apps.openapi.selectors.figures import attempts_since, endpoints_by_state, waiting_by_state
from apps.openapi.selectors.matching import (
    ATTRIBUTES,
    condition_values,
    is_tellable,
    matching_subscriptions,
    visible_events_by_app,
)

__all__ = [
    "ATTRIBUTES",
    "Stage",
    "attempts_since",
    "condition_values",
    "endpoints_by_state",
    "explain",
    "is_tellable",
    "matching_subscriptions",
    "visible_events_by_app",
    "waiting_by_state",
]
