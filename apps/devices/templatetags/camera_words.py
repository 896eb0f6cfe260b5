"""What a camera's state says, in the reader's language."""

from __future__ import annotations

from django import template

from apps.devices.choices import HealthKind
from apps.devices.services.streams import fault_words
from workers.vision.errors import SourceFault

register = template.Library()


@register.filter
def cause_words(cause: str) -> str:
    """The cause of a state in words: a finding of the picture, a fault of the source, or the code as it is."""
    if cause in HealthKind.values:
        return str(HealthKind(cause).label)
    return fault_words(cause) if cause in {fault.value for fault in SourceFault} else cause
