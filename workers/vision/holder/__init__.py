"""The holder of a node: the only connection to each camera, frames for whoever is due, live viewers."""

from __future__ import annotations

from workers.vision.holder.asking import ask_picture
from workers.vision.holder.backoff import Backoff
from workers.vision.holder.counters import Counters
from workers.vision.holder.holder import StreamHolder, StreamStatus
from workers.vision.holder.states import MOVES, IllegalMove, StateChange, StreamState
from workers.vision.holder.wishes import Demand, StreamWish

__all__ = [
    "MOVES",
    "Backoff",
    "Counters",
    "Demand",
    "IllegalMove",
    "StateChange",
    "StreamHolder",
    "StreamState",
    "StreamStatus",
    "StreamWish",
    "ask_picture",
]
