"""Shaped reads of the strategies room."""

from apps.strategies.selectors.bindings import BindingTable, camera_attributes, deciding_binding
from apps.strategies.selectors.counts import StrategyCounts, strategy_counts

__all__ = ["BindingTable", "StrategyCounts", "camera_attributes", "deciding_binding", "strategy_counts"]
