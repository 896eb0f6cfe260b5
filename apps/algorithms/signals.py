"""News of the algorithms room."""

from django.dispatch import Signal

#: A package passed its check. Sent with `package`.
package_ready = Signal()
