"""Shaped reads of the events room."""

from apps.events.selectors.hearing import event_hearing
from apps.events.selectors.queue import QueueType, queue_types, review_queue, reviewed_today

__all__ = ["QueueType", "event_hearing", "queue_types", "review_queue", "reviewed_today"]
