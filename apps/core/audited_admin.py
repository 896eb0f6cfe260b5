"""What the Django admin changes is in the audit trail like everything else."""

from __future__ import annotations

from typing import Any

from apps.core import audit


class AuditedAdmin:
    """Mixin of a ModelAdmin: one record per added, changed or deleted row."""

    def log_addition(self, request: Any, obj: Any, message: Any) -> Any:
        """Added."""
        self._tell(request, "admin.add", obj)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: Any, obj: Any, message: Any) -> Any:
        """Changed: the names of the fields, never their values."""
        fields = (
            [name for one in message for name in one.get("changed", {}).get("fields", [])] if message else []
        )
        self._tell(request, "admin.change", obj, fields=fields)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: Any, queryset: Any) -> Any:
        """Deleted."""
        for row in queryset:
            self._tell(request, "admin.delete", row)
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _tell(self, request: Any, action: str, row: Any, **detail: Any) -> None:
        owner = getattr(row, "organisation_id", None) or getattr(request.principal, "organisation_id", "")
        audit.record(request.principal, action, row, owner_id=owner, **detail)
