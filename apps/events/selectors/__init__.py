"""Shaped reads of the events room."""

from apps.events.selectors.hearing import event_hearing
from apps.events.selectors.pictures import (
    event_item,
    is_work,
    occurrence_item,
    occurrence_link,
    picture_link,
    regions_of,
)
from apps.events.selectors.queue import QueueType, queue_types, review_queue, reviewed_today

__all__ = [
    "QueueType",
    "event_hearing",
    "event_item",
    "is_work",
    "occurrence_item",
    "occurrence_link",
    "picture_link",
    "queue_types",
    "regions_of",
    "review_queue",
    "reviewed_today",
]
