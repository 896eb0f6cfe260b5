"""Event types, and the mapping of detection items onto them that an operator accepts."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.algorithms.choices import MappingState
from apps.algorithms.models import DetectionItem, EventType
from apps.core import audit
from apps.core.errors import Refusal
from apps.core.wake import wake


@transaction.atomic
def save_event_type(*, by: Principal, code: str, **fields: Any) -> EventType:
    """Add or change a type of the platform's tree."""
    by.must("event_types.manage")
    by.must_be_at_top()
    row, made = EventType.objects.update_or_create(code=code, defaults=fields)
    audit.record(by, "event_type.add" if made else "event_type.change", row)
    return row


@transaction.atomic
def accept_mapping(
    *, by: Principal, item: DetectionItem, event_type: EventType | None = None
) -> DetectionItem:
    """Accept the proposed type, or another one; from then on the item can raise events."""
    by.must("event_types.manage")
    by.must_be_at_top()
    row = DetectionItem.objects.select_for_update().get(pk=item.pk)
    chosen = event_type or row.event_type or EventType.objects.filter(code=row.proposes).first()
    if chosen is None:
        raise Refusal("no_event_type", _("Choose an event type: the package proposes none that exists here."))
    row.event_type, row.mapping_state = chosen, MappingState.ACCEPTED
    row.save(update_fields=["event_type", "mapping_state"])
    audit.record(by, "mapping.accept", row, event_type=chosen.code)
    wake("analysis")
    return row


@transaction.atomic
def refuse_mapping(*, by: Principal, item: DetectionItem) -> DetectionItem:
    """The item raises nothing until a mapping is accepted."""
    by.must("event_types.manage")
    by.must_be_at_top()
    row = DetectionItem.objects.select_for_update().get(pk=item.pk)
    row.mapping_state = MappingState.REFUSED
    row.save(update_fields=["mapping_state"])
    audit.record(by, "mapping.refuse", row)
    wake("analysis")
    return row
