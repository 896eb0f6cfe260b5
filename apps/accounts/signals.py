"""News of the accounts room."""

from django.dispatch import Signal

#: A grant was made, changed or revoked: rooms recompile the access it gives. Sent with `grant`.
grant_changed = Signal()
