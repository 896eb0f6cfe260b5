"""News of the devices room."""

from django.dispatch import Signal

#: A camera was added or changed, or its use was switched. Sent with `camera`.
camera_changed = Signal()
#: A camera went on line or off. Sent with `camera_id`, `state`, `cause`.
camera_state_changed = Signal()
