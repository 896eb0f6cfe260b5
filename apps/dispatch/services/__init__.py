"""Writes of the dispatch room."""

from apps.dispatch.services.nodes import heartbeat
from apps.dispatch.services.placement import LEASE, leave, place, renew

__all__ = ["LEASE", "heartbeat", "leave", "place", "renew"]
