"""What executions report, what comes out of the strategies, and what people say of it."""

from apps.events.models.event import Event, EventAudience, EventLock, EventOccurrence
from apps.events.models.raw import RawEvent
from apps.events.models.review import Review

__all__ = ["Event", "EventAudience", "EventLock", "EventOccurrence", "RawEvent", "Review"]
