"""Shaped reads of the open platform."""

from apps.openapi.selectors.explanation import Stage, explain
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
    "condition_values",
    "explain",
    "is_tellable",
    "matching_subscriptions",
    "visible_events_by_app",
]
