"""News of the core itself."""

from django.dispatch import Signal

#: The rights of somebody changed: sockets and players rebuild what they may see. Sent with `principal_ids`.
permissions_changed = Signal()

#: A row that gives a right fails its keyed hash: it was made or changed past the product. Sent with `row`.
seal_broken = Signal()
