"""The boundary of organisations in the Django admin: rows are seen and changed there as on the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.core.audited_admin import AuditedAdmin


class VisibleAdmin(AuditedAdmin):
    """Mixin of a ModelAdmin: it lists, and offers in its forms, what `visible_to` answers."""

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        """What the person may see."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        seen = _visible(self.model, request)  # type: ignore[attr-defined]
        return rows if seen is None else rows.filter(pk__in=seen.values("pk"))

    def formfield_for_foreignkey(self, field: Any, request: Any, **kwargs: Any) -> Any:
        """A row hangs on what the person manages; dictionaries of the site are open to everybody."""
        kwargs["queryset"] = self._offered(field.remote_field.model, request)
        return super().formfield_for_foreignkey(field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, field: Any, request: Any, **kwargs: Any) -> Any:
        """The same for lists."""
        kwargs["queryset"] = self._offered(field.remote_field.model, request)
        return super().formfield_for_manytomany(field, request, **kwargs)  # type: ignore[misc]

    def _offered(self, model: Any, request: Any) -> QuerySet[Any]:
        rows = _visible(model, request)
        if rows is None:
            return model._default_manager.all()  # type: ignore[no-any-return]
        if hasattr(model, "steplen"):  # the tree of organisations
            return rows.filter(path__startswith=request.principal.organisation_path)
        theirs = self.admin_site._registry.get(model)  # type: ignore[attr-defined]
        return theirs.managed(rows, request) if isinstance(theirs, OwnedAdmin) else rows


class OwnedAdmin(VisibleAdmin):
    """Rows of organisations: changed where they are managed, at the owner or above it; elsewhere only read."""

    #: The way from a row to its organisation.
    owner = "organisation"

    def managed(self, rows: QuerySet[Any], request: Any) -> QuerySet[Any]:
        """Those of the rows that the person's organisation owns, or one below it."""
        return rows.filter(**{f"{self.owner}__path__startswith": request.principal.organisation_path})

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """By role, and for a row by its owner."""
        return super().has_change_permission(request, obj) and self._manages(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """The same."""
        return super().has_delete_permission(request, obj) and self._manages(request, obj)  # type: ignore[misc]

    def _manages(self, request: Any, row: Any) -> bool:
        if row is None or row.pk is None:
            return True
        rows = self.model._base_manager.filter(pk=row.pk)  # type: ignore[attr-defined]
        return request.principal is not None and self.managed(rows, request).exists()


class SiteAdmin(VisibleAdmin):
    """Rows of the whole site: changed at the top of the tree, read by operators everywhere."""

    def has_add_permission(self, request: Any) -> bool:
        """By role, at the top."""
        return super().has_add_permission(request) and _at_top(request)  # type: ignore[misc]

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """The same."""
        return super().has_change_permission(request, obj) and _at_top(request)  # type: ignore[misc]

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """The same."""
        return super().has_delete_permission(request, obj) and _at_top(request)  # type: ignore[misc]


def _visible(model: Any, request: Any) -> QuerySet[Any] | None:
    """What the person sees of a model; None where the model has no owner that could hide a row."""
    rows = model._default_manager
    return rows.visible_to(request.principal) if hasattr(rows, "visible_to") else None


def _at_top(request: Any) -> bool:
    return request.principal is not None and bool(request.principal.is_at_top)
