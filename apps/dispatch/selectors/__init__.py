"""Reads of the dispatch room."""

from apps.dispatch.selectors.nodes import LOST_AFTER, is_lost, live_nodes

__all__ = ["LOST_AFTER", "is_lost", "live_nodes"]
