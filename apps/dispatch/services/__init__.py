"""Writes of the dispatch room."""

from apps.dispatch.services.nodes import heartbeat
from apps.dispatch.services.placement import LEASE, place, renew

__all__ = ["LEASE", "heartbeat", "place", "renew"]
