"""The catalogue of open services."""

from __future__ import annotations

from django.db import transaction

from apps.openapi.choices import Scope
from apps.openapi.models import Service


@transaction.atomic
def sync_services() -> int:
    """One Service row per scope: missing rows are added, states stay as an operator set them. Returns the rows made."""
    known = set(Service.objects.values_list("code", flat=True))
    rows = [
        Service(code=scope.value, scope=scope.value, name=str(scope.name).replace("_", " ").capitalize())
        for scope in Scope
        if scope.value not in known
    ]
    Service.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
