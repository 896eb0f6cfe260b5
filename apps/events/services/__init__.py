"""What may be done in the events room, a verb per file."""

from apps.events.services.raw_events import NewRawEvent, record_raw_events

__all__ = ["NewRawEvent", "record_raw_events"]
