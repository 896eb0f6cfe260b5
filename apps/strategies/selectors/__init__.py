"""Shaped reads of the strategies room."""

from apps.strategies.selectors.bindings import (
    BindingTable,
    binding_table,
    camera_attributes,
    deciding_binding,
)
from apps.strategies.selectors.counts import StrategyCounts, strategy_counts
from apps.strategies.selectors.words import (
    component_title,
    drawn_graph,
    in_order,
    parameters_in_words,
    reason_words,
    steps_in_words,
)

__all__ = [
    "BindingTable",
    "StrategyCounts",
    "binding_table",
    "camera_attributes",
    "component_title",
    "deciding_binding",
    "drawn_graph",
    "in_order",
    "parameters_in_words",
    "reason_words",
    "steps_in_words",
    "strategy_counts",
]
