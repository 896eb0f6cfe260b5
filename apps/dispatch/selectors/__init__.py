"""Reads of the dispatch room."""

from apps.dispatch.selectors.models import faulty_models, model_of, unfit
from apps.dispatch.selectors.nodes import LOST_AFTER, is_drained, is_lost, live_nodes

__all__ = ["LOST_AFTER", "faulty_models", "is_drained", "is_lost", "live_nodes", "model_of", "unfit"]
