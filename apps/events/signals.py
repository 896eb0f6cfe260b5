"""News of the events room. All are sent inside the transaction of the change they tell of."""

from django.dispatch import Signal

#: Raw events were stored for the first time. Sent with `ids` (list of UUID, in order of time).
raw_events_recorded = Signal()

#: An event changed. Sent with `event`, `phase` (choices.Phase) and `kind`:
#: raised | updated | ended | reviewed | handled. `reviewed` also carries `review`, 10 s after the verdict.
event_changed = Signal()
