"""News of the core itself."""

from django.dispatch import Signal

#: A row that gives a right fails its keyed hash: it was made or changed past the product. Sent with `row`.
seal_broken = Signal()
