"""What may be done in the events room, a verb per file."""

from apps.events.services.attach import attach_to_main
from apps.events.services.close_ended import close_ended
from apps.events.services.expire import expire_unreviewed
from apps.events.services.lock import lock_event, unlock_event
from apps.events.services.new_event import Decision
from apps.events.services.outcomes import Attached, Raised, record_outcomes
from apps.events.services.raise_event import raise_event
from apps.events.services.raw_events import NewRawEvent, record_raw_events
from apps.events.services.review import review_event, tell_reviews, undo_review
from apps.events.services.summary import event_summary, event_topics

__all__ = [
    "Attached",
    "Decision",
    "NewRawEvent",
    "Raised",
    "attach_to_main",
    "close_ended",
    "event_summary",
    "event_topics",
    "expire_unreviewed",
    "lock_event",
    "raise_event",
    "record_outcomes",
    "record_raw_events",
    "review_event",
    "tell_reviews",
    "undo_review",
    "unlock_event",
]
